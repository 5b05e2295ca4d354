// The only file that speaks to Amplify. Storage, SRP and renewal are Amplify's own.

import { Amplify } from "aws-amplify";
import * as auth from "aws-amplify/auth";

import { SessionEnded } from "../api/client.ts";
import type { Config } from "../config.ts";
import type { Cognito, SignInStep } from "./cognito.ts";
import type { User } from "./state.ts";

const STEPS: Partial<Record<auth.SignInOutput["nextStep"]["signInStep"], SignInStep>> = {
  DONE: "signedIn",
  CONFIRM_SIGN_UP: "confirm",
  RESET_PASSWORD: "reset",
};

// Of a refresh token that is expired or revoked, and of an access token after a global sign-out.
const ENDINGS = new Set([
  "NotAuthorizedException",
  "TokenRevokedException",
  "UserNotFoundException",
  "UserUnAuthenticatedException",
]);

/** Configure Amplify and give what the app wants of it. */
export function amplifyCognito(config: Config): Cognito {
  Amplify.configure({
    Auth: {
      Cognito: {
        userPoolId: config.userPoolId,
        userPoolClientId: config.clientId,
        ...(config.cognitoEndpoint === null ? {} : { userPoolEndpoint: config.cognitoEndpoint }),
      },
    },
  });
  return {
    signIn: async (email, password) => {
      const { nextStep } = await auth.signIn({ username: email, password });
      return STEPS[nextStep.signInStep] ?? "unsupported";
    },
    signUp: async ({ email, password, name, handle }) => {
      const userAttributes = { email, name, preferred_username: handle };
      await auth.signUp({ username: email, password, options: { userAttributes } });
    },
    confirm: async (email, code) => {
      await auth.confirmSignUp({ username: email, confirmationCode: code });
    },
    resendCode: async (email) => {
      await auth.resendSignUpCode({ username: email });
    },
    sendRecoveryCode: async (email) => {
      await auth.resetPassword({ username: email });
    },
    resetPassword: (email, code, password) =>
      auth.confirmResetPassword({ username: email, confirmationCode: code, newPassword: password }),
    signOut: signOutEverywhere,
    currentUser: () => orEnded(currentUser),
    accessToken: (options) => orEnded(() => accessToken(options?.renew ?? false)),
  };
}

async function accessToken(forceRefresh: boolean): Promise<string> {
  return (await tokens(forceRefresh)).accessToken.toString();
}

async function currentUser(): Promise<User> {
  const { username } = (await tokens(false)).accessToken.payload;
  const { name, preferred_username, email } = await auth.fetchUserAttributes();
  const handle = preferred_username ?? email ?? "";
  if (typeof username !== "string") throw new SessionEnded(); // no user's token
  return { username, name: name ?? handle, handle };
}

async function tokens(forceRefresh: boolean): Promise<auth.AuthTokens> {
  const session = await auth.fetchAuthSession({ forceRefresh });
  // Amplify answers a refused renewal with an empty session, not with an error.
  if (session.tokens === undefined) throw new SessionEnded();
  return session.tokens;
}

async function orEnded<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && ENDINGS.has(error.name)) throw new SessionEnded();
    throw error;
  }
}

async function signOutEverywhere(): Promise<void> {
  // Cognito refuses a global sign-out with an expired token, and Amplify does not say so.
  await auth.fetchAuthSession().catch(() => undefined);
  await auth.signOut({ global: true });
}
