import { type RefObject, useRef, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";

import { Field } from "../forms/Field.tsx";
import { FormBody } from "../forms/FormBody.tsx";
import {
  type FormProblem,
  type Values,
  codeLooksRight,
  codeOf,
  emailLooksRight,
} from "../forms/rules.ts";
import { useForm } from "../forms/useForm.ts";
import { Alert } from "../parts/Alert.tsx";
import { useApp } from "../session/app-context.ts";
import { wordCognitoError } from "../session/wording.ts";
import { AuthPage, LocalMailHint } from "./AuthPage.tsx";
import { confirmedPath } from "./paths.ts";

const RULES = [emailLooksRight, codeLooksRight];

export function ConfirmPage() {
  const [search] = useSearchParams();
  const emailInput = useRef<HTMLInputElement>(null);
  const form = useForm(RULES, useConfirm());
  return (
    <AuthPage
      title="Confirm your email"
      lead="A code with six digits is on its way to you."
      foot={
        <p>
          Confirmed already? <Link to="/signin">Sign in</Link>
        </p>
      }
    >
      <LocalMailHint />
      <FormBody form={form} action="Confirm Email">
        <Field
          form={form}
          ref={emailInput}
          label="Email"
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={search.get("email") ?? ""}
        />
        <Field
          form={form}
          label="Confirmation Code"
          name="code"
          className="code"
          inputMode="numeric"
          autoComplete="one-time-code"
        />
      </FormBody>
      <Resend emailInput={emailInput} />
    </AuthPage>
  );
}

function useConfirm() {
  const { cognito } = useApp();
  const navigate = useNavigate();
  return async ({ email = "", code = "" }: Values): Promise<FormProblem | null> => {
    try {
      await cognito.confirm(email.trim(), codeOf(code));
      await navigate(confirmedPath(email.trim()));
      return null;
    } catch (error) {
      return { text: wordCognitoError(error), field: "code" };
    }
  };
}

type Resent = "no" | "sending" | "sent" | FormProblem;

function Resend({ emailInput }: { readonly emailInput: RefObject<HTMLInputElement | null> }) {
  const { cognito } = useApp();
  const [resent, setResent] = useState<Resent>("no");

  async function resend(): Promise<void> {
    const email = emailInput.current?.value.trim() ?? "";
    const problem = emailLooksRight({ email });
    if (problem !== null) {
      setResent(problem);
      return;
    }
    setResent("sending");
    try {
      await cognito.resendCode(email);
      setResent("sent");
    } catch (error) {
      setResent({ text: wordCognitoError(error) });
    }
  }

  return (
    <div className="resend">
      <button
        className="button wide"
        type="button"
        aria-disabled={resent === "sending" || undefined}
        onClick={() => {
          if (resent !== "sending") void resend();
        }}
      >
        Resend Activation Code
      </button>
      <p role="status">
        {resent === "sent" && "A new activation code has been sent to your email"}
      </p>
      {typeof resent === "object" && <Alert>{resent.text}</Alert>}
    </div>
  );
}
