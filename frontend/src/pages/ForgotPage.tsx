import { useState } from "react";
import { Link } from "react-router";

import { Field } from "../forms/Field.tsx";
import { FormBody } from "../forms/FormBody.tsx";
import {
  codeLooksRight,
  codeOf,
  emailLooksRight,
  passwordIsStrong,
  passwordsMatch,
} from "../forms/rules.ts";
import { useForm } from "../forms/useForm.ts";
import { useApp } from "../session/app-context.ts";
import { PASSWORD_RULE, wordCognitoError } from "../session/wording.ts";
import { AuthPage, LocalMailHint } from "./AuthPage.tsx";

const EMAIL_RULES = [emailLooksRight];
const RESET_RULES = [codeLooksRight, passwordIsStrong("password"), passwordsMatch];

type Step =
  | { readonly name: "ask" }
  | { readonly name: "reset"; readonly email: string }
  | { readonly name: "done" };

/** Three steps on one page: ask for a code, use it, go and sign in. */
export function ForgotPage() {
  const [step, setStep] = useState<Step>({ name: "ask" });
  switch (step.name) {
    case "ask":
      return (
        <AskForCode
          onSent={(email) => {
            setStep({ name: "reset", email });
          }}
        />
      );
    case "reset":
      return (
        <Reset
          email={step.email}
          onDone={() => {
            setStep({ name: "done" });
          }}
        />
      );
    case "done":
      return <Done />;
  }
}

const foot = (
  <p>
    Remembered it? <Link to="/signin">Sign in</Link>
  </p>
);

function AskForCode({ onSent }: { readonly onSent: (email: string) => void }) {
  const { cognito } = useApp();
  const form = useForm(EMAIL_RULES, async ({ email = "" }) => {
    try {
      await cognito.sendRecoveryCode(email.trim());
      onSent(email.trim());
      return null;
    } catch (error) {
      return { text: wordCognitoError(error) };
    }
  });
  return (
    <AuthPage title="Recover your password" lead="We send a code to your email." foot={foot}>
      <FormBody form={form} action="Send Recovery Code">
        <Field form={form} label="Email" name="email" type="email" autoComplete="username" />
      </FormBody>
    </AuthPage>
  );
}

interface ResetProps {
  readonly email: string;
  readonly onDone: () => void;
}

function Reset({ email, onDone }: ResetProps) {
  const { cognito } = useApp();
  const form = useForm(RESET_RULES, async ({ code = "", password = "" }) => {
    try {
      await cognito.resetPassword(email, codeOf(code), password);
      onDone();
      return null;
    } catch (error) {
      return { text: wordCognitoError(error) };
    }
  });
  return (
    <AuthPage
      title="Choose a new password"
      lead={`If there is an account for ${email}, a code is on its way there.`}
      foot={foot}
    >
      <LocalMailHint />
      <FormBody form={form} action="Reset Password">
        <Field
          form={form}
          label="Reset Password Code"
          name="code"
          className="code"
          inputMode="numeric"
          autoComplete="one-time-code"
        />
        <Field
          form={form}
          label="New Password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint={PASSWORD_RULE}
        />
        <Field
          form={form}
          label="New Password Again"
          name="passwordAgain"
          type="password"
          autoComplete="new-password"
        />
      </FormBody>
    </AuthPage>
  );
}

function Done() {
  return (
    <AuthPage title="Your password is new" lead={<span role="status">You can sign in with it now.</span>}>
      <Link className="button primary wide" to="/signin">
        Proceed to Signin
      </Link>
    </AuthPage>
  );
}
