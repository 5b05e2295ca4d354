// What the app wants of Cognito, in its own words; Amplify is loaded when the first is wanted.

import type { Config } from "../config.ts";
import type { User } from "./state.ts";

/** What a password opened, or what Cognito wants first. */
export type SignInStep = "signedIn" | "confirm" | "reset" | "unsupported";

export interface NewAccount {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly handle: string;
}

/** Every call rejects with Cognito's error, worded by `wording.ts`. */
export interface Cognito {
  signIn(email: string, password: string): Promise<SignInStep>;
  signUp(account: NewAccount): Promise<void>;
  confirm(email: string, code: string): Promise<void>;
  resendCode(email: string): Promise<void>;
  sendRecoveryCode(email: string): Promise<void>;
  resetPassword(email: string, code: string, password: string): Promise<void>;
  /** Everywhere, for every device; this browser forgets its tokens even when offline. */
  signOut(): Promise<void>;
  /** @throws {SessionEnded} The session in this browser is no longer accepted. */
  currentUser(): Promise<User>;
  /** @throws {SessionEnded} As `currentUser`. */
  accessToken(options?: { readonly renew: boolean }): Promise<string>;
}

/** `Cognito`, and what can be known without loading anything. */
export interface LazyCognito extends Cognito {
  /** Whether this browser holds a session; says nothing about whether it is still accepted. */
  hasSession(): boolean;
  /** Remove from this browser all that was kept for a session. */
  forget(): void;
  /** Load what a form will need, while the person is still typing. */
  prepare(): void;
}

/** Cognito as `config` says, in a chunk of its own that an anonymous visitor never loads. */
export function lazyCognito(config: Config): LazyCognito {
  // What Amplify keeps in `localStorage` for one app client begins with this.
  const prefix = `CognitoIdentityServiceProvider.${config.clientId}.`;
  let loading: Promise<Cognito> | null = null;
  const load = (): Promise<Cognito> => {
    loading ??= import("./amplify.ts").then(({ amplifyCognito }) => amplifyCognito(config));
    loading.catch(() => (loading = null)); // offline for a moment is not offline for ever
    return loading;
  };
  const forget = (): void => {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(prefix));
    for (const name of names) localStorage.removeItem(name);
  };
  return {
    forget,
    hasSession: () => localStorage.getItem(`${prefix}LastAuthUser`) !== null,
    prepare: () => void load().catch(() => undefined),
    signIn: async (email, password) => {
      const cognito = await load();
      forget(); // Amplify refuses while a session is kept, even one that no longer works
      return cognito.signIn(email, password);
    },
    signUp: async (account) => (await load()).signUp(account),
    confirm: async (email, code) => (await load()).confirm(email, code),
    resendCode: async (email) => (await load()).resendCode(email),
    sendRecoveryCode: async (email) => (await load()).sendRecoveryCode(email),
    resetPassword: async (email, code, password) =>
      (await load()).resetPassword(email, code, password),
    signOut: async () => (await load()).signOut(),
    currentUser: async () => (await load()).currentUser(),
    accessToken: async (options) => (await load()).accessToken(options),
  };
}
