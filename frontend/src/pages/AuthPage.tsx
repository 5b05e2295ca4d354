// The frame of the pages that get a person in: one card, nothing beside it.

import { type ReactNode, useEffect } from "react";
import { Link } from "react-router";

import { Brand } from "../parts/Brand.tsx";
import { useTitle } from "../parts/Page.tsx";
import { useApp } from "../session/app-context.ts";

interface Props {
  readonly title: string;
  readonly lead: ReactNode;
  readonly children: ReactNode;
  readonly foot?: ReactNode;
}

export function AuthPage({ title, lead, children, foot }: Props) {
  const { cognito } = useApp();
  useTitle(title);
  useEffect(() => {
    cognito.prepare();
  }, [cognito]);
  return (
    <div className="auth">
      <header>
        <Link className="brand" to="/">
          <Brand />
        </Link>
      </header>
      <main id="main" className="card">
        <h1 tabIndex={-1}>{title}</h1>
        <p className="lead">{lead}</p>
        {children}
      </main>
      {foot !== undefined && <footer className="auth-foot">{foot}</footer>}
    </div>
  );
}

/** Where codes are when nobody sends e-mails: only the local stand-in has such a place. */
export function LocalMailHint() {
  const { cognitoEndpoint } = useApp().config;
  if (cognitoEndpoint === null) return null;
  return (
    <p className="local-hint">
      This is a local demo: no email leaves it. The code is in the terminal of{" "}
      <code>make demo</code>, and in the{" "}
      <a href={`${cognitoEndpoint}/_ministack/ses/messages`} target="_blank" rel="noreferrer">
        local outbox
      </a>
      .
    </p>
  );
}
