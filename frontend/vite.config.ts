// How the app is built and tested. One bundle serves every environment: nothing of `.env` goes in.

import react from "@vitejs/plugin-react";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";

import { firstPageBudget } from "./budget.ts";
import { configInDevelopment } from "./dev-config.ts";

export default defineConfig(({ mode }) => ({
  plugins: [
    react(),
    configInDevelopment({ ...process.env, ...loadEnv(mode, import.meta.dirname, "VITE_") }),
    firstPageBudget(150 * 1024), // a phone on slow 3G (50 KB/s) has it in three seconds
  ],
  server: { port: 3000, strictPort: true }, // the origin that sidecar and backend accept
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the policy allows no other source than files
    reportCompressedSize: false, // the budget prints it
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    unstubGlobals: true,
  },
}));
