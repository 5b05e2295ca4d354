import { expect, test } from "vitest";

import { cognitoError } from "../testing/fakes.tsx";
import { wordCognitoError } from "./wording.ts";

test.each([
  ["NotAuthorizedException", "The email or the password is wrong."],
  ["CodeMismatchException", "That code is not right. Check it, or ask for a new one."],
  ["SomethingNewException", "Something went wrong. Try again in a moment."],
])("%s is said in words that help", (name, words) => {
  expect(wordCognitoError(cognitoError(name, "for developers"))).toBe(words);
});

test("whether an account exists cannot be read off the words", () => {
  const [unknown, wrong] = ["UserNotFoundException", "NotAuthorizedException"].map((name) =>
    wordCognitoError(cognitoError(name)),
  );
  expect(unknown).toBe(wrong);
});

test("too many wrong passwords are not called a wrong password", () => {
  const error = cognitoError("NotAuthorizedException", "Password attempts exceeded");
  expect(wordCognitoError(error)).toMatch(/too often/);
});

test.each([cognitoError("NetworkError"), new TypeError("Failed to fetch a module")])(
  "a network that is down is called that: %s",
  (error) => {
    expect(wordCognitoError(error)).toMatch(/cannot be reached/);
  },
);
