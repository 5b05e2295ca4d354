// Signed in or not, as a value; pure. Tokens are not in here: they stay where Amplify keeps them.

/** Who is signed in, from the attributes of the account. */
export interface User {
  /** What the API knows the account by; for a pool that signs in by e-mail this is the sub. */
  readonly username: string;
  readonly name: string;
  /** `preferred_username`: the @handle shown to people. */
  readonly handle: string;
}

/** Why somebody who had a session has none. */
export type Ending = "expired" | "unreachable";

export type Session =
  /** The browser holds a session that has not been looked at yet. */
  | { readonly status: "restoring" }
  | { readonly status: "anonymous"; readonly ending: Ending | null }
  | { readonly status: "signedIn"; readonly user: User };

export type SessionEvent =
  | { readonly type: "signedIn"; readonly user: User }
  | { readonly type: "signedOut" }
  | { readonly type: "ended"; readonly ending: Ending }
  | { readonly type: "changedElsewhere"; readonly hasSession: boolean };

export const ANONYMOUS: Session = { status: "anonymous", ending: null };
export const RESTORING: Session = { status: "restoring" };

/** What the session is after an event. */
export function afterEvent(session: Session, event: SessionEvent): Session {
  switch (event.type) {
    case "signedIn":
      return { status: "signedIn", user: event.user };
    case "signedOut":
      return ANONYMOUS;
    case "ended": // told twice when two requests are refused; the first says why
      return session.status === "anonymous" ? session : { status: "anonymous", ending: event.ending };
    case "changedElsewhere": // another tab signed in or out
      return event.hasSession ? RESTORING : ANONYMOUS;
  }
}
