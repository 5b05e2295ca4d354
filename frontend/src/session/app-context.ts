// What every page may ask for: the session, Cognito, the API.

import { createContext, useContext } from "react";

import type { ApiClient } from "../api/client.ts";
import type { Config } from "../config.ts";
import type { LazyCognito } from "./cognito.ts";
import type { Ending, Session, User } from "./state.ts";

export interface AppServices {
  readonly config: Config;
  readonly cognito: LazyCognito;
  readonly api: ApiClient;
  readonly session: Session;
  /**
   * Look again at the session that the browser holds, as after a sign-in. Never rejects; tells why
   * it could not be used, null if it can.
   */
  readonly restore: () => Promise<Ending | null>;
  readonly signOut: () => Promise<void>;
}

export const AppContext = createContext<AppServices | null>(null);

/** @throws {Error} Outside of `SessionProvider`. */
export function useApp(): AppServices {
  const app = useContext(AppContext);
  if (app === null) throw new Error("useApp is for what is inside SessionProvider");
  return app;
}

/** Who is signed in; null for nobody, or not yet known. */
export function useUser(): User | null {
  const { session } = useApp();
  return session.status === "signedIn" ? session.user : null;
}
