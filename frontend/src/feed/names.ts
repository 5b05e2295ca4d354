// What people are called on the screen, and where that leads. Pure.

import type { User } from "../session/state.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The handle to show, without the @.
 *
 * The API names an author by Cognito's username. In a pool that signs in by e-mail this is a sub:
 * shown as the person's own handle if it is ours, else shortened.
 */
export function shownHandle(handle: string, user: User | null): string {
  if (user !== null && handle === user.username) return user.handle;
  return UUID.test(handle) ? handle.slice(0, 8) : handle;
}

/** The page of an author. */
export function profilePath(handle: string, user: User | null): string {
  const own = user !== null && handle === user.username ? user.handle : handle;
  return `/@${encodeURIComponent(own)}`;
}

/** The path of the API for the page of `handle`. */
export function activitiesPath(handle: string, user: User | null): string {
  const author = user !== null && handle === user.handle ? user.username : handle;
  return `/api/activities/@${encodeURIComponent(author)}`;
}
