// Every setting of the static server. The only file that reads the environment.

import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("dist", import.meta.url));

/**
 * What the browser may know, served as /config.json. Nothing secret. A name that is null has not
 * been set; the app then shows one page that says so.
 *
 * @typedef {object} BrowserConfig
 * @property {string | null} userPoolId
 * @property {string | null} clientId
 * @property {string | null} region
 * @property {string | null} apiUrl The sidecar.
 * @property {string | null} cognitoEndpoint The local stand-in; null is Cognito itself in `region`.
 */

/**
 * @typedef {object} Settings
 * @property {string[]} hosts Addresses to listen on. Both loopbacks by default: `localhost` is
 *   127.0.0.1 for one browser and ::1 for the next.
 * @property {number} port
 * @property {string} folder What is served: the built app.
 * @property {BrowserConfig} config
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
  return {
    hosts: read("FRONTEND_HOSTS", "127.0.0.1,::1").split(",").map((host) => host.trim()),
    port: portOf(read("FRONTEND_PORT", "3000")),
    folder: read("FRONTEND_FOLDER", BUILT),
    config: browserConfigOf(environment),
  };
}

/**
 * The part of the settings that goes to the browser.
 *
 * @param {Record<string, string | undefined>} environment
 * @returns {BrowserConfig}
 * @throws {Error} As `settingsOf`.
 */
export function browserConfigOf(environment) {
  const read = (name) => environment[name]?.trim() || null;
  return {
    userPoolId: read("VITE_COGNITO_USER_POOL_ID"),
    clientId: read("VITE_COGNITO_CLIENT_ID"),
    region: regionOf(read("VITE_COGNITO_REGION")),
    apiUrl: originOf("VITE_API_URL", read("VITE_API_URL")),
    cognitoEndpoint: originOf("VITE_COGNITO_ENDPOINT", read("VITE_COGNITO_ENDPOINT")),
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
  if (text !== null && !/^[a-z0-9-]+$/.test(text)) {
    throw new Error("VITE_COGNITO_REGION must be one such as us-east-1");
  }
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
