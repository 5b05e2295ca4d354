import { Link, Navigate, useNavigate } from "react-router";

import { Field } from "../forms/Field.tsx";
import { FormBody } from "../forms/FormBody.tsx";
import {
  type FormProblem,
  type Values,
  emailLooksRight,
  filled,
  handleLooksRight,
  handleOf,
  passwordIsStrong,
} from "../forms/rules.ts";
import { useForm } from "../forms/useForm.ts";
import { useApp } from "../session/app-context.ts";
import { PASSWORD_RULE, wordCognitoError } from "../session/wording.ts";
import { AuthPage } from "./AuthPage.tsx";
import { confirmPath } from "./paths.ts";

const RULES = [
  filled("name", "Enter your name."),
  emailLooksRight,
  handleLooksRight,
  passwordIsStrong("password"),
];

export function SignUpPage() {
  const { session } = useApp();
  const form = useForm(RULES, useSignUp());
  if (session.status === "signedIn") return <Navigate to="/" replace />;
  return (
    <AuthPage
      title="Sign up"
      lead="Say something. It goes away by itself."
      foot={
        <p>
          Already have an account? <Link to="/signin">Sign in</Link>
        </p>
      }
    >
      <FormBody form={form} action="Sign Up">
        <Field form={form} label="Name" name="name" autoComplete="name" />
        <Field form={form} label="Email" name="email" type="email" autoComplete="email" />
        <Field
          form={form}
          label="Username"
          name="handle"
          autoComplete="nickname"
          autoCapitalize="none"
          spellCheck={false}
          hint="What others see, with an @ before it."
        />
        <Field
          form={form}
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint={PASSWORD_RULE}
        />
      </FormBody>
    </AuthPage>
  );
}

function useSignUp() {
  const { cognito } = useApp();
  const navigate = useNavigate();
  return async ({ name = "", email = "", handle = "", password = "" }: Values): Promise<FormProblem | null> => {
    const account = { name: name.trim(), email: email.trim(), handle: handleOf(handle), password };
    try {
      await cognito.signUp(account);
      await navigate(confirmPath(account.email));
      return null;
    } catch (error) {
      return { text: wordCognitoError(error) };
    }
  };
}
