// This file keeps the session of the page: restored at start, ended by Cognito or by another tab.

import { type ReactNode, useCallback, useEffect, useMemo, useReducer } from "react";

import { SessionEnded, createApiClient } from "../api/client.ts";
import type { Config } from "../config.ts";
import { AppContext } from "./app-context.ts";
import type { LazyCognito } from "./cognito.ts";
import { ANONYMOUS, RESTORING, afterEvent } from "./state.ts";

interface Props {
  readonly config: Config;
  readonly cognito: LazyCognito;
  readonly children: ReactNode;
}

/** Gives everything below it the session, Cognito and the API. */
export function SessionProvider({ config, cognito, children }: Props) {
  const [session, dispatch] = useReducer(afterEvent, cognito.hasSession() ? RESTORING : ANONYMOUS);

  const restore = useCallback(async () => {
    try {
      dispatch({ type: "signedIn", user: await cognito.currentUser() });
      return null;
    } catch (error) {
      const ending = error instanceof SessionEnded ? "expired" : "unreachable";
      if (ending === "expired") cognito.forget();
      dispatch({ type: "ended", ending });
      return ending;
    }
  }, [cognito]);

  const isRestoring = session.status === "restoring";
  useEffect(() => {
    if (isRestoring) void restore();
  }, [isRestoring, restore]);

  useEffect(() => {
    let hadSession = cognito.hasSession();
    const onStorage = (): void => {
      const hasSession = cognito.hasSession();
      if (hasSession !== hadSession) dispatch({ type: "changedElsewhere", hasSession });
      hadSession = hasSession;
    };
    addEventListener("storage", onStorage);
    return () => {
      removeEventListener("storage", onStorage);
    };
  }, [cognito]);

  const signOut = useCallback(async () => {
    await cognito.signOut().catch(() => undefined); // offline: forgotten here all the same
    cognito.forget();
    dispatch({ type: "signedOut" });
  }, [cognito]);

  const isAnonymous = session.status === "anonymous";
  const api = useMemo(() => {
    const ended = (): void => {
      cognito.forget();
      dispatch({ type: "ended", ending: "expired" });
    };
    const take = async (renew: boolean): Promise<string | null> =>
      isAnonymous ? null : cognito.accessToken({ renew });
    const tokens = { current: () => take(false), renewed: () => take(true), ended };
    return createApiClient(config.apiUrl, tokens);
  }, [config, cognito, isAnonymous]);

  const app = useMemo(
    () => ({ config, cognito, api, session, restore, signOut }),
    [config, cognito, api, session, restore, signOut],
  );
  return <AppContext value={app}>{children}</AppContext>;
}
