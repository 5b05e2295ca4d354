// What a form checks before it asks anybody. Pure; the server has the last word.

import { PASSWORD_RULE } from "../session/wording.ts";

/** The text of each field by its name. */
export type Values = Readonly<Record<string, string>>;

/** One thing wrong, and the field to look at; a refusal of the whole form has none. */
export interface FormProblem {
  readonly text: string;
  readonly field?: string;
}

export type Rule = (values: Values) => FormProblem | null;

/** The first problem that `rules` find, in their order. */
export function firstProblem(rules: readonly Rule[], values: Values): FormProblem | null {
  for (const rule of rules) {
    const problem = rule(values);
    if (problem !== null) return problem;
  }
  return null;
}

export function filled(field: string, text: string): Rule {
  return (values) => ((values[field] ?? "").trim() === "" ? { field, text } : null);
}

export const emailLooksRight: Rule = ({ email = "" }) =>
  /^\S+@\S+\.\S+$/.test(email.trim())
    ? null
    : { field: "email", text: "Enter your email address, such as ada@example.com." };

/** Six digits, as Cognito sends them; spaces from a copied e-mail do not matter. */
export const codeLooksRight: Rule = ({ code = "" }) =>
  /^\d{6}$/.test(codeOf(code))
    ? null
    : { field: "code", text: "Enter the six digits from the email." };

export const handleLooksRight: Rule = ({ handle = "" }) =>
  /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,29}$/u.test(handleOf(handle))
    ? null
    : { field: "handle", text: "A username has 1 to 30 letters, digits, dots, dashes or _." };

export function passwordIsStrong(field: string): Rule {
  return (values) => {
    const password = values[field] ?? "";
    const kinds = [/\p{Lu}/u, /\p{Ll}/u, /\d/, /[^\p{L}\d\s]/u];
    const isStrong = password.length >= 8 && kinds.every((kind) => kind.test(password));
    return isStrong ? null : { field, text: `That password is not strong enough. ${PASSWORD_RULE}` };
  };
}

export const passwordsMatch: Rule = ({ password, passwordAgain }) =>
  password === passwordAgain
    ? null
    : { field: "passwordAgain", text: "The two passwords do not match." };

/** The handle without the @ that many people type. */
export function handleOf(text: string): string {
  return text.trim().replace(/^@/, "");
}

export function codeOf(text: string): string {
  return text.replace(/\s/g, "");
}
