// This file turns what went wrong with a request into one value; every problem has a `reason`.

/** The sidecar's stable reasons. */
export const SIDECAR_REASONS = [
  "token_missing",
  "token_malformed",
  "token_too_large",
  "multiple_tokens",
  "algorithm_not_allowed",
  "key_unknown",
  "signature_invalid",
  "token_expired",
  "token_not_yet_valid",
  "issuer_mismatch",
  "client_mismatch",
  "token_use_mismatch",
  "claim_missing",
  "claim_invalid",
  "token_revoked",
  "scope_missing",
  "group_missing",
  "keys_unavailable",
  "revocation_unknown",
  "request_malformed",
  "target_ambiguous",
  "header_invalid",
  "too_large",
  "timeout",
  "overloaded",
  "upstream_unreachable",
  "upstream_timeout",
  "upstream_broken",
  "internal_error",
] as const;

/** The backend's `error` words that a person can do something about. */
export const BACKEND_REASONS = [
  "sign_in_required",
  "activity_invalid",
  "store_unavailable",
  "not_found",
] as const;

export type SidecarReason = (typeof SIDECAR_REASONS)[number];
export type BackendReason = (typeof BACKEND_REASONS)[number];

export type ApiProblem =
  | { readonly reason: SidecarReason; readonly status: number; readonly requestId: string | null }
  | { readonly reason: BackendReason; readonly status: number }
  /** No answer that a script may read: offline, refused, or another origin's. */
  | { readonly reason: "network_down" }
  /** There was a session; Cognito or the sidecar no longer accepts it. */
  | { readonly reason: "session_ended" }
  /** An answer that fits nothing above. */
  | { readonly reason: "unexpected"; readonly status: number };

/** An answer, read once. */
export interface Answer {
  readonly status: number;
  /** The value of X-Cognito-Auth; null when absent or not exposed to scripts. */
  readonly verdict: string | null;
  /** Decoded JSON, null if it was none. */
  readonly body: unknown;
}

/** Name what an unsuccessful answer says. */
export function problemOf({ status, body }: Answer): ApiProblem {
  const reason = member(body, "reason");
  if (isOneOf(SIDECAR_REASONS, reason)) {
    return { reason, status, requestId: member(body, "request_id") };
  }
  const error = member(body, "error");
  if (isOneOf(BACKEND_REASONS, error)) return { reason: error, status };
  return { reason: "unexpected", status };
}

function member(body: unknown, name: string): string | null {
  if (typeof body !== "object" || body === null) return null;
  const value = (body as Record<string, unknown>)[name];
  return typeof value === "string" ? value : null;
}

function isOneOf<T extends string>(words: readonly T[], word: string | null): word is T {
  return (words as readonly (string | null)[]).includes(word);
}
