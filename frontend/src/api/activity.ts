// The value that travels: an activity as the API sends it, checked before anything shows it.

export interface Activity {
  readonly uuid: string;
  readonly handle: string;
  /** Plain text, never markup. */
  readonly message: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly likes: number;
  readonly reposts: number;
  readonly replies: readonly Activity[];
}

/** How long an activity may live, as the API spells it and as people do. */
export const LIFETIMES = [
  ["30-days", "30 days"],
  ["7-days", "7 days"],
  ["3-days", "3 days"],
  ["1-day", "1 day"],
  ["12-hours", "12 hours"],
  ["3-hours", "3 hours"],
  ["1-hour", "1 hour"],
] as const;

/** In Unicode characters, as the backend counts; an emoji may be more than one. */
export const MAX_MESSAGE_CHARS = 280;

/** A list of activities, or null if any of it is not one. */
export function readActivities(body: unknown): readonly Activity[] | null {
  if (!Array.isArray(body)) return null;
  const activities = body.map(readActivity);
  return activities.every((activity) => activity !== null) ? activities : null;
}

/** One activity, or null if it is not one. */
export function readActivity(body: unknown): Activity | null {
  if (typeof body !== "object" || body === null) return null;
  const { uuid, handle, message, created_at, expires_at, likes_count, reposts_count, replies } =
    body as Record<string, unknown>;
  if (typeof uuid !== "string" || typeof handle !== "string" || typeof message !== "string") {
    return null;
  }
  const [createdAt, expiresAt] = [dateOf(created_at), dateOf(expires_at)];
  const read = readActivities(replies ?? []);
  if (createdAt === null || expiresAt === null || read === null) return null;
  const [likes, reposts] = [countOf(likes_count), countOf(reposts_count)];
  return { uuid, handle, message, createdAt, expiresAt, likes, reposts, replies: read };
}

function dateOf(text: unknown): Date | null {
  const date = typeof text === "string" ? new Date(text) : new Date(NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

function countOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
