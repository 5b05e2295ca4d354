import { expect, test } from "vitest";

import { relativeTime } from "./time.ts";

const NOW = new Date("2026-06-15T12:00:00Z");
const after = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);

test.each([
  [-5, "just now"],
  [-60, "1m ago"],
  [-5 * 3600, "5h ago"],
  [-13 * 3600, "13h ago"],
  [-3 * 86400, "3d ago"],
  [5, "in a minute"],
  [7 * 86400 - 2, "in 7d"],
])("%i seconds from now is %s", (seconds, words) => {
  expect(relativeTime(after(seconds), NOW)).toBe(words);
});
