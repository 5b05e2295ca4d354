import { Link, Navigate, useNavigate, useSearchParams } from "react-router";

import { Field } from "../forms/Field.tsx";
import { FormBody } from "../forms/FormBody.tsx";
import { type FormProblem, type Values, emailLooksRight, filled } from "../forms/rules.ts";
import { useForm } from "../forms/useForm.ts";
import { useApp } from "../session/app-context.ts";
import { ENDINGS, wordCognitoError } from "../session/wording.ts";
import { AuthPage } from "./AuthPage.tsx";
import { confirmPath } from "./paths.ts";

const RULES = [emailLooksRight, filled("password", "Enter your password.")];
const UNSUPPORTED = "This account needs a step that this app does not have yet, such as a second factor.";

export function SignInPage() {
  const { session, signIn } = useSignIn();
  const [search] = useSearchParams();
  const form = useForm(RULES, signIn);
  const isConfirmed = search.has("confirmed");
  if (session.status === "signedIn") return <Navigate to="/" replace />;
  return (
    <AuthPage
      title="Sign in"
      lead={isConfirmed ? "Your email is confirmed. Sign in to begin." : "Good to see you again."}
      foot={
        <p>
          Don’t have an account? <Link to="/signup">Sign up!</Link>
        </p>
      }
    >
      <FormBody form={form} action="Sign In">
        <Field
          form={form}
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          defaultValue={search.get("email") ?? ""}
        />
        <Field
          form={form}
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
        />
        <p className="aside-link">
          <Link to="/forgot">Forgot Password?</Link>
        </p>
      </FormBody>
    </AuthPage>
  );
}

function useSignIn() {
  const { cognito, session, restore } = useApp();
  const navigate = useNavigate();

  async function signIn({ email = "", password = "" }: Values): Promise<FormProblem | null> {
    try {
      const step = await cognito.signIn(email.trim(), password);
      if (step === "unsupported") return { text: UNSUPPORTED };
      if (step === "signedIn") {
        const ending = await restore(); // without one, the page leads home
        return ending === null ? null : { text: ENDINGS[ending] };
      }
      await navigate(step === "confirm" ? confirmPath(email.trim()) : "/forgot");
      return null;
    } catch (error) {
      return { text: wordCognitoError(error) };
    }
  }

  return { session, signIn };
}
