import { expect, test } from "vitest";

import { ADA } from "../testing/fakes.tsx";
import { ANONYMOUS, RESTORING, type Session, afterEvent } from "./state.ts";

const SIGNED_IN: Session = { status: "signedIn", user: ADA };

test("a restored session is somebody's", () => {
  expect(afterEvent(RESTORING, { type: "signedIn", user: ADA })).toEqual(SIGNED_IN);
});

test("a sign-out leaves nobody, and no reason to complain", () => {
  expect(afterEvent(SIGNED_IN, { type: "signedOut" })).toEqual(ANONYMOUS);
});

test.each([RESTORING, SIGNED_IN])("a session that ends says why: %j", (session) => {
  const after = afterEvent(session, { type: "ended", ending: "expired" });
  expect(after).toEqual({ status: "anonymous", ending: "expired" });
});

test("a second request that is refused does not change the reason", () => {
  const expired: Session = { status: "anonymous", ending: "expired" };
  expect(afterEvent(expired, { type: "ended", ending: "unreachable" })).toBe(expired);
});

test("a sign-out that was asked for is not turned into an expired session by a late answer", () => {
  expect(afterEvent(ANONYMOUS, { type: "ended", ending: "expired" })).toBe(ANONYMOUS);
});

test("signing in clears the complaint", () => {
  const expired: Session = { status: "anonymous", ending: "expired" };
  expect(afterEvent(expired, { type: "signedIn", user: ADA })).toEqual(SIGNED_IN);
});

test("a sign-out in another tab is one here", () => {
  expect(afterEvent(SIGNED_IN, { type: "changedElsewhere", hasSession: false })).toEqual(ANONYMOUS);
});

test("a sign-in in another tab is looked at here", () => {
  expect(afterEvent(ANONYMOUS, { type: "changedElsewhere", hasSession: true })).toEqual(RESTORING);
});
