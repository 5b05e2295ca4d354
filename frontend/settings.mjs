// Every setting of the static server. The only file that reads the environment.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * @typedef {object} Settings
 * @property {string[]} hosts Addresses to listen on. Both loopbacks by default: `localhost` is
 *   127.0.0.1 for one browser and ::1 for the next.
 * @property {number} port
 * @property {string} folder What is served: the built app, or the placeholder until there is one.
 * @property {object} config What the browser may know, served as /config.json. Nothing secret.
 */

/**
 * Read the settings; blank means the default.
 *
 * @param {Record<string, string | undefined>} environment
 * @returns {Settings}
 * @throws {Error} A value is unusable; the message says what was expected.
 */
export function settingsOf(environment) {
  const read = (name, fallback) => environment[name]?.trim() || fallback;
  const origin = (name, fallback) => originOf(name, read(name, fallback));
  return {
    hosts: read("FRONTEND_HOSTS", "127.0.0.1,::1").split(",").map((host) => host.trim()),
    port: portOf(read("FRONTEND_PORT", "3000")),
    folder: read("FRONTEND_FOLDER", existsSync(here("dist")) ? here("dist") : here("placeholder")),
    config: {
      sidecarUrl: origin("FRONTEND_SIDECAR_URL", "http://127.0.0.1:8080"),
      // null: Cognito itself, in `region`. A URL: the local stand-in.
      cognitoEndpoint: origin("FRONTEND_COGNITO_ENDPOINT", null),
      region: regionOf(read("FRONTEND_REGION", "us-east-1")),
      userPoolId: read("FRONTEND_USER_POOL_ID", null),
      userPoolClientId: read("FRONTEND_USER_POOL_CLIENT_ID", null),
    },
  };
}

function portOf(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error("FRONTEND_PORT must be a whole number from 0 to 65535");
  }
  return port;
}

function regionOf(text) {
  if (!/^[a-z0-9-]+$/.test(text)) throw new Error("FRONTEND_REGION must be one such as us-east-1");
  return text;
}

// Only the origin: these go into a Content-Security-Policy, where any other text would be policy.
function originOf(name, text) {
  if (text === null) return null;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new Error(`${name} must be a URL such as http://127.0.0.1:8080`);
  }
  return new URL(text).origin;
}
