import { expect, test, vi } from "vitest";

import { loadConfig, readConfig } from "./config.ts";
import { CONFIG, answer } from "./testing/fakes.tsx";

test("a whole configuration is read as it is", () => {
  expect(readConfig({ ...CONFIG })).toEqual(CONFIG);
});

test("everything that is missing is named, by the name to set", () => {
  expect(readConfig({ ...CONFIG, userPoolId: null, apiUrl: "" })).toEqual({
    problems: ["VITE_COGNITO_USER_POOL_ID is not set", "VITE_API_URL is not set"],
  });
});

test("a region that is not the pool's is found before Cognito is asked in vain", () => {
  const { problems } = readConfig({ ...CONFIG, region: "eu-west-1" }) as { problems: string[] };
  expect(problems[0]).toMatch(/^VITE_COGNITO_REGION/);
});

test.each([null, "text", 7])("what is no object is a problem: %j", (json) => {
  expect(readConfig(json)).toHaveProperty("problems");
});

test.each([
  ["no answer", () => Promise.reject(new TypeError())],
  ["an answer that is not JSON", () => Promise.resolve(new Response("<html>"))],
  ["an error", () => Promise.resolve(answer(404, {}))],
])("%s is a problem, not a blank page", async (_name, fetch) => {
  vi.stubGlobal("fetch", fetch);
  expect(await loadConfig()).toHaveProperty("problems");
});
