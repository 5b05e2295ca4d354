// Writing an activity: a dialog that keeps the draft until it has been posted.

import { type RefObject, useId, useState } from "react";

import { LIFETIMES, MAX_MESSAGE_CHARS, readActivity } from "../api/activity.ts";
import { wordProblem } from "../api/wording.ts";
import { type FormProblem, type Values, filled } from "../forms/rules.ts";
import { useForm } from "../forms/useForm.ts";
import { Alert } from "../parts/Alert.tsx";
import { Icon } from "../parts/Icon.tsx";
import { useApp } from "../session/app-context.ts";

const RULES = [filled("message", "Write something first."), isShortEnough];

interface Props {
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly onPosted: () => void;
}

/** Opened by `dialog.current.showModal()`; Escape and Close leave the draft as it is. */
export function Compose({ dialog, onPosted }: Props) {
  const { api } = useApp();
  const [message, setMessage] = useState("");
  const titleId = useId();
  const form = useForm(RULES, async ({ message: text = "", ttl = "" }) => {
    const outcome = await api.post("/api/activities", { message: text, ttl }, readActivity);
    if (!outcome.ok) return { text: wordProblem(outcome.problem) };
    setMessage("");
    dialog.current?.close();
    onPosted();
    return null;
  });

  return (
    <dialog className="compose" ref={dialog} aria-labelledby={titleId}>
      <form className="form" noValidate onSubmit={form.onSubmit} aria-busy={form.isBusy}>
        <header>
          <h2 id={titleId}>New activity</h2>
          <button
            className="button icon-only"
            type="button"
            aria-label="Close"
            onClick={() => dialog.current?.close()}
          >
            <Icon name="close" />
          </button>
        </header>
        <Message text={message} onText={setMessage} isWrong={form.problem?.field === "message"} />
        {form.problem !== null && <Alert>{form.problem.text}</Alert>}
        <footer>
          <Lifetime />
          <button className="button primary" type="submit" aria-disabled={form.isBusy || undefined}>
            Crud
          </button>
        </footer>
      </form>
    </dialog>
  );
}

interface MessageProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly isWrong: boolean;
}

function Message({ text, onText, isWrong }: MessageProps) {
  const [id, countId] = [useId(), useId()];
  const left = MAX_MESSAGE_CHARS - charsIn(text);
  return (
    <div className="field">
      <label htmlFor={id}>What would you like to say?</label>
      <textarea
        id={id}
        name="message"
        rows={5}
        dir="auto"
        value={text}
        aria-invalid={isWrong || left < 0 || undefined}
        aria-describedby={countId}
        onChange={(event) => {
          onText(event.target.value);
        }}
      />
      <p className={left < 0 ? "hint count over" : "hint count"} id={countId}>
        {left < 0 ? `${-left} characters too many` : `${left} characters left`}
      </p>
    </div>
  );
}

function Lifetime() {
  const id = useId();
  return (
    <div className="lifetime">
      <label htmlFor={id}>Expires after</label>
      <select id={id} name="ttl" defaultValue="7-days">
        {LIFETIMES.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

function isShortEnough({ message = "" }: Values): FormProblem | null {
  const text = `An activity has at most ${MAX_MESSAGE_CHARS} characters.`;
  return charsIn(message) > MAX_MESSAGE_CHARS ? { field: "message", text } : null;
}

/** Unicode characters, as the backend counts; `length` would count an emoji twice. */
function charsIn(text: string): number {
  return Array.from(text).length;
}
