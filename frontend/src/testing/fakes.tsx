// What tests put in the place of Cognito and of the network. Nothing of ours is replaced.

import { render } from "@testing-library/react";
import { vi } from "vitest";

import { App } from "../App.tsx";
import type { Config } from "../config.ts";
import type { LazyCognito } from "../session/cognito.ts";
import type { User } from "../session/state.ts";

export const CONFIG: Config = {
  userPoolId: "us-east-1_x",
  clientId: "client",
  region: "us-east-1",
  apiUrl: "http://api.test",
  cognitoEndpoint: null,
};

export const ADA: User = { username: "0f8fad5b-d9cb-469f-a165-70867728950e", name: "Ada", handle: "ada" };

/** An error as Cognito's are: told apart by name. */
export function cognitoError(name: string, message = ""): Error {
  return Object.assign(new Error(message), { name });
}

/** A Cognito where everything works; each call is recorded. */
export function fakeCognito(changed: Partial<LazyCognito> = {}, isSignedIn = false) {
  let hasSession = isSignedIn;
  const cognito = {
    hasSession: () => hasSession,
    forget: () => {
      hasSession = false;
    },
    prepare: vi.fn(),
    signIn: vi.fn<LazyCognito["signIn"]>(() => {
      hasSession = true;
      return Promise.resolve("signedIn");
    }),
    signUp: vi.fn<LazyCognito["signUp"]>(() => Promise.resolve()),
    confirm: vi.fn<LazyCognito["confirm"]>(() => Promise.resolve()),
    resendCode: vi.fn<LazyCognito["resendCode"]>(() => Promise.resolve()),
    sendRecoveryCode: vi.fn<LazyCognito["sendRecoveryCode"]>(() => Promise.resolve()),
    resetPassword: vi.fn<LazyCognito["resetPassword"]>(() => Promise.resolve()),
    signOut: vi.fn<LazyCognito["signOut"]>(() => Promise.resolve()),
    currentUser: vi.fn<LazyCognito["currentUser"]>(() => Promise.resolve(ADA)),
    accessToken: vi.fn<LazyCognito["accessToken"]>(() => Promise.resolve("token")),
  };
  return Object.assign(cognito, changed);
}

/** One answer of the API. */
export function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

/** Answers in order, the last one again and again; gives every request that was made. */
export function stubApi(...answers: readonly (() => Response | Promise<Response>)[]): Request[] {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    const next = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(new Request(url, { ...init, signal: null }));
    return Promise.resolve().then(() => next?.() ?? answer(500, null));
  });
  return requests;
}

/** The whole app, at `path`. */
export function renderApp(path: string, cognito = fakeCognito()) {
  history.replaceState(null, "", path);
  return render(<App config={CONFIG} cognito={cognito} />);
}

export function activity(changed: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    uuid: crypto.randomUUID(),
    handle: "Worf",
    message: "A warrior needs no holiday.",
    created_at: "2026-01-01T00:00:00+00:00",
    expires_at: "2027-01-01T00:00:00+00:00",
    likes_count: 5,
    replies_count: 0,
    reposts_count: 0,
    replies: [],
    ...changed,
  };
}
