// Times as people say them.

const UNITS = [
  ["day", 24 * 60 * 60],
  ["hour", 60 * 60],
  ["minute", 60],
] as const;

const short = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });
const long = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** Such as "5h ago" or "in 7 days"; "just now" for less than a minute. */
export function relativeTime(date: Date, now: Date): string {
  const seconds = (date.getTime() - now.getTime()) / 1000;
  for (const [unit, length] of UNITS) {
    // Seven days, a moment later, are still seven.
    if (Math.abs(seconds) >= length - 30) return short.format(Math.round(seconds / length), unit);
  }
  return seconds > 0 ? "in a minute" : "just now";
}

export function exactTime(date: Date): string {
  return long.format(date);
}
