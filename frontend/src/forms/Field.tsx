// A label, its input, what helps to fill it in.

import { type ComponentProps, useId } from "react";

import type { Form } from "./useForm.ts";

interface Props extends Omit<ComponentProps<"input">, "form"> {
  readonly label: string;
  readonly name: string;
  readonly form: Form;
  readonly hint?: string;
}

/** One line of a form. The label is the accessible name, the hint its description. */
export function Field({ label, hint, form, name, ...input }: Props) {
  const id = useId();
  const hintId = `${id}-hint`;
  const isWrong = form.problem?.field === name;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        name={name}
        aria-invalid={isWrong || undefined}
        aria-describedby={hint === undefined ? undefined : hintId}
      />
      {hint !== undefined && (
        <p className="hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}
