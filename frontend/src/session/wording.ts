// The only place that words what Cognito refuses. Its own sentences speak to developers.

import type { Ending } from "./state.ts";

const TRY_AGAIN = "Something went wrong. Try again in a moment.";
const TOO_OFTEN = "That was tried too often. Wait a while, then try again.";
const OFFLINE = "The sign-in server cannot be reached. Check your connection and try again.";

/** What a password needs, as the pool of deploy/aws/user-pool.yaml asks. */
export const PASSWORD_RULE =
  "At least 8 characters, with an upper-case and a lower-case letter, a number and a symbol.";

const WORDS: Readonly<Record<string, string>> = {
  NotAuthorizedException: "The email or the password is wrong.",
  UserNotFoundException: "The email or the password is wrong.",
  UsernameExistsException: "There is an account with this email already. Sign in instead.",
  AliasExistsException: "There is an account with this email already. Sign in instead.",
  CodeMismatchException: "That code is not right. Check it, or ask for a new one.",
  ExpiredCodeException: "That code is no longer valid. Ask for a new one.",
  CodeDeliveryFailureException: "The code could not be sent to this email.",
  InvalidPasswordException: `That password is not strong enough. ${PASSWORD_RULE}`,
  LimitExceededException: TOO_OFTEN,
  TooManyRequestsException: TOO_OFTEN,
  TooManyFailedAttemptsException: TOO_OFTEN,
  UserNotConfirmedException: "This account is not confirmed yet.",
  PasswordResetRequiredException: "This account needs a new password.",
  ResourceNotFoundException: "This app is set up for a user pool that does not exist.",
  NetworkError: OFFLINE,
  SessionEnded: "Your session has expired. Sign in again.",
};

/** Say why a session cannot be used. */
export const ENDINGS: Readonly<Record<Ending, string>> = {
  expired: "Your session has expired. Sign in again.",
  unreachable:
    "The sign-in server cannot be reached, so you see what everybody sees. Reload to try again.",
};

/** Say what Cognito refused, in words that help. */
export function wordCognitoError(error: unknown): string {
  if (!(error instanceof Error)) return TRY_AGAIN;
  if (error instanceof TypeError) return OFFLINE; // a chunk did not load
  if (error.name === "NotAuthorizedException" && error.message.includes("attempts exceeded")) {
    return TOO_OFTEN;
  }
  // Of an account that is confirmed already, among others: Cognito's sentence is the better one.
  if (error.name === "InvalidParameterException") return error.message;
  return WORDS[error.name] ?? TRY_AGAIN;
}
