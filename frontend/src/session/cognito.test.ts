import { afterEach, expect, test } from "vitest";

import { CONFIG } from "../testing/fakes.tsx";
import { lazyCognito } from "./cognito.ts";

const PREFIX = "CognitoIdentityServiceProvider.client.";

afterEach(() => {
  localStorage.clear();
});

test("a browser without a session is told apart without asking anybody", () => {
  expect(lazyCognito(CONFIG).hasSession()).toBe(false);
  localStorage.setItem(`${PREFIX}LastAuthUser`, "ada");
  expect(lazyCognito(CONFIG).hasSession()).toBe(true);
});

test("a session of another app client is none of ours", () => {
  localStorage.setItem("CognitoIdentityServiceProvider.other.LastAuthUser", "ada");
  expect(lazyCognito(CONFIG).hasSession()).toBe(false);
});

test("forgetting removes all that was kept for this client, and nothing else", () => {
  localStorage.setItem(`${PREFIX}LastAuthUser`, "ada");
  localStorage.setItem(`${PREFIX}ada.refreshToken`, "secret");
  localStorage.setItem("theme", "dark");
  lazyCognito(CONFIG).forget();
  expect(Object.keys(localStorage)).toEqual(["theme"]);
});
