import { expect, test } from "vitest";

import { activity } from "../testing/fakes.tsx";
import { readActivities } from "./activity.ts";

test("activities are read with their replies", () => {
  const [read] = readActivities([activity({ replies: [activity({ handle: "Jadzia" })] })]) ?? [];
  expect(read).toMatchObject({ handle: "Worf", likes: 5, replies: [{ handle: "Jadzia" }] });
  expect(read?.createdAt.toISOString()).toBe("2026-01-01T00:00:00.000Z");
});

test.each([
  ["not a list", {}],
  ["no message", [activity({ message: null })]],
  ["no time", [activity({ created_at: "soon" })]],
  ["a broken reply", [activity({ replies: [{}] })]],
])("what is not a list of activities is refused whole: %s", (_name, body) => {
  expect(readActivities(body)).toBeNull();
});
