// This file asks the sidecar: one token per request, one renewal, one retry. Nothing is kept.

import { type Answer, type ApiProblem, problemOf } from "./problem.ts";

/** Where access tokens come from; asked anew for every request, so none goes stale here. */
export interface TokenSource {
  /**
   * A token that is valid by this machine's clock; null without a session.
   *
   * @throws {SessionEnded} There was a session and it cannot be renewed.
   */
  current(): Promise<string | null>;
  /** A token newer than the last, whatever the clock says. Throws as `current`. */
  renewed(): Promise<string | null>;
  /** Told when the sidecar refuses a session for good. */
  ended(): void;
}

/** The session cannot be renewed: expired, revoked, or signed out elsewhere. */
export class SessionEnded extends Error {
  override readonly name = "SessionEnded";
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: ApiProblem };

/** Reads a decoded body; null when it is not what was expected. */
export type Reader<T> = (body: unknown) => T | null;

export interface ApiClient {
  get<T>(path: string, read: Reader<T>): Promise<Outcome<T>>;
  post<T>(path: string, body: unknown, read: Reader<T>): Promise<Outcome<T>>;
}

// Answers after which signing in is the only way on; a token renewed a moment ago was refused too.
const FINAL = new Set(["token_expired", "token_revoked", "sign_in_required"]);

/**
 * A client of the API behind the sidecar. Problems are values; it never rejects.
 *
 * @param apiUrl Origin of the sidecar: the only place an access token is sent to.
 */
export function createApiClient(apiUrl: string, tokens: TokenSource): ApiClient {
  async function ask<T>(path: string, init: RequestInit, read: Reader<T>): Promise<Outcome<T>> {
    try {
      const { answer, hasToken } = await answerTo(path, init);
      const value = answer.status < 300 ? read(answer.body) : null;
      if (value !== null) return { ok: true, value };
      return failed(problemOf(answer), hasToken);
    } catch (error) {
      if (error instanceof SessionEnded) return failed({ reason: "session_ended" }, true);
      return failed({ reason: "network_down" }, false); // fetch says no more than "TypeError"
    }
  }

  async function answerTo(path: string, init: RequestInit) {
    const token = await tokens.current();
    const answer = await send(apiUrl + path, init, token);
    if (token === null || !isStale(answer)) return { answer, hasToken: token !== null };
    const renewed = await tokens.renewed();
    return { answer: await send(apiUrl + path, init, renewed), hasToken: true };
  }

  function failed(problem: ApiProblem, hasToken: boolean): { ok: false; problem: ApiProblem } {
    if (problem.reason !== "session_ended" && !(hasToken && FINAL.has(problem.reason))) {
      return { ok: false, problem };
    }
    tokens.ended();
    return { ok: false, problem: { reason: "session_ended" } };
  }

  return {
    get: (path, read) => ask(path, {}, read),
    post: (path, body, read) => {
      const headers = { "Content-Type": "application/json" };
      return ask(path, { method: "POST", headers, body: JSON.stringify(body) }, read);
    },
  };
}

/**
 * Whether a token was sent and the answer is one for nobody, because the token had expired.
 *
 * The sidecar says so in three ways: with 401, or (mode `strip`) by asking the backend anonymously,
 * which shows in X-Cognito-Auth, and in a backend that demands a sign-in.
 */
function isStale(answer: Answer): boolean {
  if (answer.verdict?.includes("reason=token_expired") === true) return true;
  if (answer.status !== 401) return false;
  const { reason } = problemOf(answer);
  return reason === "token_expired" || reason === "sign_in_required";
}

async function send(url: string, init: RequestInit, token: string | null): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  const response = await fetch(url, { ...init, headers, credentials: "omit", cache: "no-store" });
  const verdict = response.headers.get("X-Cognito-Auth");
  return { status: response.status, verdict, body: decoded(await response.text()) };
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
