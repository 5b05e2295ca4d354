// The frame of every form: fields, what was wrong, one button.

import type { ReactNode } from "react";

import { Alert } from "../parts/Alert.tsx";
import type { Form } from "./useForm.ts";

interface Props {
  readonly form: Form;
  readonly action: string;
  readonly children: ReactNode;
}

/** A form whose button says `action`. The browser's own bubbles are off: they come and go unread. */
export function FormBody({ form, action, children }: Props) {
  return (
    <form className="form" noValidate onSubmit={form.onSubmit} aria-busy={form.isBusy}>
      {children}
      {form.problem !== null && <Alert>{form.problem.text}</Alert>}
      <button className="button primary wide" type="submit" aria-disabled={form.isBusy || undefined}>
        {action}
      </button>
    </form>
  );
}
