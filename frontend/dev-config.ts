// `npm run dev` answers /config.json from the environment and `.env.local`, as serve.mjs does.

import type { Plugin } from "vite";

import { browserConfigOf } from "./settings.mjs";

/** Serve what the browser may know while developing; nothing of it ends up in a build. */
export function configInDevelopment(environment: Record<string, string | undefined>): Plugin {
  return {
    name: "config-in-development",
    configureServer(server) {
      server.middlewares.use("/config.json", (_request, response) => {
        response.setHeader("Content-Type", "application/json; charset=utf-8");
        response.end(JSON.stringify(browserConfigOf(environment)));
      });
    },
  };
}
