// The only place that words a problem of the API. A person reads it, so: what now, and what next.

import type { ApiProblem } from "./problem.ts";

const NOT_ACCEPTED = "The server does not accept your sign-in. Sign out and sign in again.";
const NOT_ALLOWED = "Your account is not allowed to do this.";
const OUR_MISTAKE = "The server could not read the request. Reload the page and try again.";
const NOT_NOW = "The server is not available right now. Try again in a moment.";

const WORDS: Record<ApiProblem["reason"], string> = {
  network_down: "The server cannot be reached. Check your connection and try again.",
  session_ended: "Your session has expired. Sign in again.",
  unexpected: "Something went wrong on the server. Try again in a moment.",

  token_missing: "Sign in to do this.",
  token_expired: "Your session has expired. Sign in again.",
  token_revoked: "You have been signed out. Sign in again.",
  token_not_yet_valid: "The server's clock is behind. Try again in a moment.",
  token_malformed: NOT_ACCEPTED,
  token_too_large: NOT_ACCEPTED,
  multiple_tokens: NOT_ACCEPTED,
  algorithm_not_allowed: NOT_ACCEPTED,
  key_unknown: NOT_ACCEPTED,
  signature_invalid: NOT_ACCEPTED,
  issuer_mismatch: NOT_ACCEPTED,
  client_mismatch: NOT_ACCEPTED,
  token_use_mismatch: NOT_ACCEPTED,
  claim_missing: NOT_ACCEPTED,
  claim_invalid: NOT_ACCEPTED,
  scope_missing: NOT_ALLOWED,
  group_missing: NOT_ALLOWED,

  keys_unavailable: "The server cannot check your sign-in right now. Try again in a moment.",
  revocation_unknown: "The server cannot check your sign-in right now. Try again in a moment.",
  request_malformed: OUR_MISTAKE,
  target_ambiguous: OUR_MISTAKE,
  header_invalid: OUR_MISTAKE,
  too_large: "That is too long for the server.",
  timeout: "The connection was too slow. Try again.",
  overloaded: "The server is busy. Try again in a moment.",
  upstream_unreachable: NOT_NOW,
  upstream_timeout: "The server took too long to answer. Try again in a moment.",
  upstream_broken: NOT_NOW,
  internal_error: NOT_NOW,

  sign_in_required: "Sign in to do this.",
  activity_invalid: "The server did not accept that. Write 1 to 280 characters.",
  store_unavailable: NOT_NOW,
  not_found: "There is nothing here.",
};

/** Say what went wrong, and of a failure of the sidecar's which request it was. */
export function wordProblem(problem: ApiProblem): string {
  const words = WORDS[problem.reason];
  if (!("requestId" in problem) || problem.requestId === null || problem.status < 500) return words;
  return `${words} (Request ${problem.requestId})`;
}
