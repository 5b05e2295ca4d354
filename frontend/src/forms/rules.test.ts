import { expect, test } from "vitest";

import {
  codeLooksRight,
  codeOf,
  emailLooksRight,
  filled,
  firstProblem,
  handleLooksRight,
  passwordIsStrong,
  passwordsMatch,
} from "./rules.ts";

test.each(["ada@example.com", " ada@example.com "])("an address is accepted: %j", (email) => {
  expect(emailLooksRight({ email })).toBeNull();
});

test.each(["", "ada", "ada@example", "a da@example.com"])("an address is refused: %j", (email) => {
  expect(emailLooksRight({ email })?.field).toBe("email");
});

test.each(["123456", " 123 456 "])("a code is accepted as it is copied: %j", (code) => {
  expect(codeLooksRight({ code })).toBeNull();
  expect(codeOf(code)).toBe("123456");
});

test.each(["", "12345", "1234567", "12345a"])("a code is refused: %j", (code) => {
  expect(codeLooksRight({ code })?.field).toBe("code");
});

test.each(["ada", "@ada", "grace.hopper", "Jürgen_9"])("a handle is accepted: %j", (handle) => {
  expect(handleLooksRight({ handle })).toBeNull();
});

test.each(["", "@", ".ada", "a/b", "a b", "a".repeat(31)])("a handle is refused: %j", (handle) => {
  expect(handleLooksRight({ handle })?.field).toBe("handle");
});

test.each(["Analytical-1843", "aB3?5678", "Ünique-123"])("a password is strong: %j", (password) => {
  expect(passwordIsStrong("password")({ password })).toBeNull();
});

test.each(["", "aB3?567", "analytical-1843", "ANALYTICAL-1843", "Analytical-", "Analytical1843"])(
  "a password is weak: %j",
  (password) => {
    expect(passwordIsStrong("password")({ password })?.field).toBe("password");
  },
);

test("two passwords that differ are refused at the second", () => {
  expect(passwordsMatch({ password: "one", passwordAgain: "two" })?.field).toBe("passwordAgain");
  expect(passwordsMatch({ password: "one", passwordAgain: "one" })).toBeNull();
});

test("only the first problem is told", () => {
  const rules = [filled("name", "Enter your name."), emailLooksRight];
  expect(firstProblem(rules, { name: " ", email: "" })).toEqual({
    field: "name",
    text: "Enter your name.",
  });
});
