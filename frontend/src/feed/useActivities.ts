// A list of activities and where it stands: what is shown stays until what replaces it is there.

import { useCallback, useEffect, useState } from "react";

import { type Activity, readActivities } from "../api/activity.ts";
import type { ApiProblem } from "../api/problem.ts";
import { useApp } from "../session/app-context.ts";

export interface Activities {
  /** Null until the first answer. */
  readonly list: readonly Activity[] | null;
  /** Why the newest question had no answer; `list` is then an older one's. */
  readonly problem: ApiProblem | null;
  readonly reload: () => void;
}

interface Loaded {
  readonly question: string;
  readonly list: readonly Activity[] | null;
  readonly problem: ApiProblem | null;
}

const NOTHING: Loaded = { question: "", list: null, problem: null };

/**
 * Ask for `path` now, when somebody signs in or out, and on `reload`.
 *
 * @param path Of the API; null asks nothing.
 * @param version Ask again when this is another one.
 */
export function useActivities(path: string | null, version: string): Activities {
  const { api, session } = useApp();
  const [loaded, setLoaded] = useState(NOTHING);
  const [count, setCount] = useState(0);
  const caller = session.status === "signedIn" ? session.user.username : session.status;
  // An answer for another path or another caller must never be shown as this one's.
  const question = `${caller} ${path ?? ""}`;

  useEffect(() => {
    if (caller === "restoring" || path === null) return undefined;
    let isWanted = true;
    void api.get(path, readActivities).then((outcome) => {
      if (!isWanted) return;
      setLoaded((before) => {
        if (outcome.ok) return { question, list: outcome.value, problem: null };
        const list = before.question === question ? before.list : null;
        return { question, list, problem: outcome.problem };
      });
    });
    return () => {
      isWanted = false;
    };
  }, [api, caller, path, question, version, count]);

  const reload = useCallback(() => {
    setCount((number) => number + 1);
  }, []);
  const isCurrent = loaded.question === question;
  return { list: isCurrent ? loaded.list : null, problem: isCurrent ? loaded.problem : null, reload };
}
