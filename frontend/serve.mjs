// This file serves the frontend: files of one folder, /config.json, and nothing else.
//
// Node's own http is enough for that. It never lists a folder, never leaves it, and tells the
// browser to run no script but ours.

import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";

import { settingsOf } from "./settings.mjs";

const CONTENT_TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

/**
 * The request listener for one folder.
 *
 * @param {import("./settings.mjs").Settings} settings
 */
export function listenerFor(settings) {
  const always = {
    "Content-Security-Policy": policyFor(settings.config),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  };
  const config = Buffer.from(JSON.stringify(settings.config));

  return async (request, response) => {
    for (const [name, value] of Object.entries(always)) response.setHeader(name, value);
    try {
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("Allow", "GET, HEAD");
        return refuse(response, 405);
      }
      const path = pathOf(request.url);
      if (path === null) return refuse(response, 400);
      if (path === "/config.json") return sendConfig(request, response, config);
      const file = await fileFor(settings.folder, path);
      return file ? await sendFile(request, response, file) : refuse(response, 404);
    } catch (error) {
      if (response.headersSent) return response.destroy(); // the browser left, or the disk failed
      console.error(`frontend: ${error.code ?? error.message}`);
      return refuse(response, 500);
    }
  };
}

// Scripts, styles and pictures from here; calls to the sidecar and to Cognito. Nothing else, so
// that a token in this page has nowhere else to go.
function policyFor({ apiUrl, cognitoEndpoint, region }) {
  const servers = ["'self'", apiUrl, cognitoEndpoint ?? cognitoIn(region)];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "manifest-src 'self'",
    `connect-src ${servers.filter(Boolean).join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function cognitoIn(region) {
  if (region === null) return null;
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return `https://cognito-idp.${region}.${suffix}`;
}

// The decoded path, or null for one that no honest link contains.
function pathOf(target) {
  try {
    const path = decodeURIComponent(target.split(/[?#]/, 1)[0]);
    const isStrange = !path.startsWith("/") || /[\\\0]/.test(path);
    return isStrange || path.split("/").some((part) => part.startsWith(".")) ? null : path;
  } catch {
    return null; // a broken %-escape
  }
}

// The file for a path; index.html for a page the app draws itself; null for what is missing.
async function fileFor(folder, path) {
  const root = await realpath(folder);
  const isPage = extname(path) === "" || path.startsWith("/@"); // a handle may have a dot
  return (await fileIn(root, path)) ?? (isPage ? fileIn(root, "/index.html") : null);
}

async function fileIn(root, path) {
  try {
    const name = await realpath(join(root, path)); // realpath: a link may point anywhere
    const found = await stat(name);
    const isServed = found.isFile() && name.startsWith(root + sep);
    return isServed ? { name, path, size: found.size, mtime: found.mtime } : null;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(error.code)) return null;
    throw error;
  }
}

async function sendFile(request, response, { name, size, mtime, path }) {
  // A build names the files in /assets/ by their content; any other name may change its meaning.
  const isHashed = path.startsWith("/assets/");
  response.writeHead(200, {
    "Cache-Control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    "Content-Length": size,
    "Content-Type": CONTENT_TYPES[extname(name)] ?? "application/octet-stream",
    "Last-Modified": mtime.toUTCString(),
  });
  if (request.method === "HEAD") return response.end();
  return pipeline(createReadStream(name), response);
}

function sendConfig(request, response, config) {
  response.writeHead(200, {
    "Cache-Control": "no-store",
    "Content-Length": config.length,
    "Content-Type": CONTENT_TYPES[".json"],
  });
  response.end(request.method === "HEAD" ? undefined : config);
}

function refuse(response, status) {
  response.writeHead(status, { "Cache-Control": "no-store", "Content-Type": CONTENT_TYPES[".txt"] });
  response.end(`${status}\n`);
}

/**
 * Listen on every host; one this machine does not have is left out, as ::1 in many containers.
 *
 * @param {import("./settings.mjs").Settings} settings
 * @returns {Promise<import("node:http").Server[]>}
 * @throws {Error} A port is taken, or no host is left.
 */
export async function serve(settings) {
  const listener = listenerFor(settings);
  const attempts = await Promise.allSettled(
    settings.hosts.map((host) => listen(createServer(listener), host, settings.port)),
  );
  const servers = attempts.map(({ value }) => value).filter(Boolean);
  const failure = attempts.find(({ status }) => status === "rejected");
  if (failure) {
    servers.forEach((server) => server.close()); // all of them or none
    throw failure.reason;
  }
  if (servers.length === 0) throw new Error(`none of ${settings.hosts.join(", ")} exists here`);
  return servers;
}

function listen(server, host, port) {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      if (["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.code)) resolve(null);
      else reject(error);
    });
    server.listen({ host, port, ipv6Only: true }, () => resolve(server));
  });
}

async function assertBuilt(folder) {
  if (await fileIn(await realpath(folder).catch(() => folder), "/index.html")) return;
  throw new Error(`there is no app in ${folder}; build it with: npm ci && npm run build`);
}

async function main() {
  try {
    const settings = settingsOf(process.env);
    await assertBuilt(settings.folder);
    const servers = await serve(settings);
    console.log(`http://localhost:${settings.port} serves ${settings.folder}`);
    const stop = () => servers.forEach((server) => server.close() && server.closeAllConnections());
    process.once("SIGTERM", stop).once("SIGINT", stop);
  } catch (error) {
    console.error(`frontend: ${error.message}`);
    process.exitCode = 1;
  }
}

const started = process.argv[1]; // by whatever name: a link to this file is this file
if (started && import.meta.url === pathToFileURL(await realpath(started)).href) await main();
