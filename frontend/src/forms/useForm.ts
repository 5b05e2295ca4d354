// One submission at a time: check, send, and say what was wrong at the field where it was.

import { type SubmitEvent, useRef, useState } from "react";

import { type FormProblem, type Rule, type Values, firstProblem } from "./rules.ts";

export interface Form {
  readonly problem: FormProblem | null;
  readonly isBusy: boolean;
  readonly onSubmit: (event: SubmitEvent<HTMLFormElement>) => void;
}

/**
 * @param rules What has to hold before anything is sent, most basic first.
 * @param send Does the work; resolves with what was refused, null if nothing was.
 */
export function useForm(
  rules: readonly Rule[],
  send: (values: Values) => Promise<FormProblem | null>,
): Form {
  const [problem, setProblem] = useState<FormProblem | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const isSending = useRef(false); // a double click comes before the next render

  async function submit(form: HTMLFormElement): Promise<void> {
    const values = valuesOf(form);
    const found = firstProblem(rules, values);
    setProblem(found);
    if (found !== null) {
      focusOn(form, found);
      return;
    }
    setIsBusy(true);
    const refused = await send(values);
    setIsBusy(false);
    setProblem(refused);
    if (refused !== null) focusOn(form, refused);
  }

  return {
    problem,
    isBusy,
    onSubmit: (event) => {
      event.preventDefault();
      if (isSending.current) return;
      isSending.current = true;
      void submit(event.currentTarget).finally(() => (isSending.current = false));
    },
  };
}

function valuesOf(form: HTMLFormElement): Values {
  const values: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") values[name] = value;
  }
  return values;
}

function focusOn(form: HTMLFormElement, { field }: FormProblem): void {
  if (field === undefined) return;
  const input = form.elements.namedItem(field);
  if (input instanceof HTMLElement) input.focus();
}
