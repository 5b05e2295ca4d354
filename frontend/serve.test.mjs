// The static server over real sockets: what it serves, what it refuses, what it tells the browser.

import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { serve } from "./serve.mjs";
import { settingsOf } from "./settings.mjs";

let folder, outside, servers, port;

before(async () => {
  outside = await mkdtemp(join(tmpdir(), "frontend-"));
  folder = join(outside, "site");
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(outside, "secret.txt"), "secret");
  await writeFile(join(folder, "index.html"), "<!doctype html>the app");
  await writeFile(join(folder, ".env"), "secret");
  await writeFile(join(folder, "assets", "app-1a2b.js"), "export {};");
  await symlink(join(outside, "secret.txt"), join(folder, "link.txt"));
  const environment = {
    FRONTEND_HOSTS: "127.0.0.1",
    FRONTEND_PORT: "0",
    FRONTEND_FOLDER: folder,
    VITE_API_URL: "http://127.0.0.1:8080",
    VITE_COGNITO_REGION: "us-east-1",
    VITE_COGNITO_USER_POOL_ID: "us-east-1_x",
  };
  servers = await serve(settingsOf(environment));
  port = servers[0].address().port;
});

after(async () => {
  servers.forEach((server) => server.close());
  await rm(outside, { recursive: true });
});

// Not fetch: it would tidy the path before the server could refuse it.
function get(path, method = "GET") {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const { statusCode: status, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks).toString() });
      });
    });
    asked.on("error", reject).end();
  });
}

test("the root is the app's page", async () => {
  const { status, headers, body } = await get("/");
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "text/html; charset=utf-8");
  assert.equal(headers["cache-control"], "no-cache");
  assert.match(body, /the app/);
});

test("a page only the app knows is the app's page", async () => {
  assert.match((await get("/confirm?email=ada@example.com")).body, /the app/);
});

test("a handle with a dot is a page, not a file", async () => {
  assert.match((await get("/@grace.hopper")).body, /the app/);
});

test("a missing file is missing, not the app's page", async () => {
  assert.equal((await get("/assets/app-0000.js")).status, 404);
});

test("a file named by its content may be kept for ever", async () => {
  const { headers } = await get("/assets/app-1a2b.js");
  assert.match(headers["cache-control"], /immutable/);
  assert.equal(headers["content-type"], "text/javascript; charset=utf-8");
});

for (const path of [
  "/../secret.txt",
  "/%2e%2e/secret.txt",
  "/assets/..%2f..%2fsecret.txt",
  "/..%5csecret.txt",
  "/link.txt",
  "/.env",
  "/%00",
  "/%zz",
  "//../secret.txt",
  "http://example.com/secret.txt",
]) {
  test(`nothing outside the folder, nothing hidden: ${path}`, async () => {
    const { status, body } = await get(path);
    assert.ok(status === 400 || status === 404, `${status}`);
    assert.doesNotMatch(body, /secret/);
  });
}

test("only reading is allowed", async () => {
  const { status, headers } = await get("/", "POST");
  assert.equal(status, 405);
  assert.equal(headers.allow, "GET, HEAD");
});

test("HEAD has the length and no body", async () => {
  const { headers, body } = await get("/", "HEAD");
  assert.equal(headers["content-length"], "22");
  assert.equal(body, "");
});

test("the configuration comes from the environment and is not kept", async () => {
  const { headers, body } = await get("/config.json");
  assert.equal(headers["cache-control"], "no-store");
  assert.deepEqual(JSON.parse(body), {
    userPoolId: "us-east-1_x",
    clientId: null,
    region: "us-east-1",
    apiUrl: "http://127.0.0.1:8080",
    cognitoEndpoint: null,
  });
});

test("the policy lets a token go to the sidecar and to Cognito alone", async () => {
  const policy = (await get("/")).headers["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  const allowed = "connect-src 'self' http://127.0.0.1:8080 https://cognito-idp.us-east-1.amazonaws.com;";
  assert.ok(policy.includes(allowed), policy);
});

test("a URL with more than an origin adds nothing to the policy", () => {
  const { config } = settingsOf({ VITE_API_URL: "http://127.0.0.1:8080/; script-src *" });
  assert.equal(config.apiUrl, "http://127.0.0.1:8080");
});

test("with nothing set, the browser is told that nothing is", () => {
  assert.deepEqual(new Set(Object.values(settingsOf({}).config)), new Set([null]));
});

for (const [name, value] of [
  ["FRONTEND_PORT", "70000"],
  ["FRONTEND_PORT", "web"],
  ["VITE_COGNITO_REGION", "us-east-1; script-src *"],
  ["VITE_API_URL", "8080"],
  ["VITE_COGNITO_ENDPOINT", "file:///etc"],
]) {
  test(`a bad setting is refused by name: ${name}=${value}`, () => {
    assert.throws(() => settingsOf({ [name]: value }), new RegExp(name));
  });
}

test("a taken port is an error", async () => {
  const settings = settingsOf({ FRONTEND_HOSTS: "127.0.0.1", FRONTEND_PORT: `${port}` });
  await assert.rejects(serve(settings), { code: "EADDRINUSE" });
});
