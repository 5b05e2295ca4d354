// The home feed is asked for once and shown twice: on its page and, in part, beside every page.

import { createContext, useContext } from "react";

import type { Activities } from "./useActivities.ts";

export const HomeFeedContext = createContext<Activities | null>(null);

/** @throws {Error} Outside of the shell. */
export function useHomeFeed(): Activities {
  const feed = useContext(HomeFeedContext);
  if (feed === null) throw new Error("useHomeFeed is for what is inside Shell");
  return feed;
}
