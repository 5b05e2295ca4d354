import { expect, test } from "vitest";

import { ADA } from "../testing/fakes.tsx";
import { activitiesPath, profilePath, shownHandle } from "./names.ts";

test("one's own posts carry one's own handle, though the API knows a sub", () => {
  expect(shownHandle(ADA.username, ADA)).toBe("ada");
  expect(profilePath(ADA.username, ADA)).toBe("/@ada");
  expect(activitiesPath("ada", ADA)).toBe(`/api/activities/@${ADA.username}`);
});

test("a stranger's sub is shortened on the screen and whole in the link", () => {
  expect(shownHandle(ADA.username, null)).toBe("0f8fad5b");
  expect(profilePath(ADA.username, null)).toBe(`/@${ADA.username}`);
});

test("a handle that is a name stays one", () => {
  expect(shownHandle("Lore", ADA)).toBe("Lore");
  expect(activitiesPath("Lore", ADA)).toBe("/api/activities/@Lore");
});

test("a handle cannot lead to another path of the API", () => {
  expect(activitiesPath("../whoami?x", null)).toBe("/api/activities/@..%2Fwhoami%3Fx");
});
