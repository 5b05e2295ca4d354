import type { ConfigProblem } from "../config.ts";

/** Shown instead of the app when it has not been told where Cognito and the sidecar are. */
export function SetupPage({ problem }: { readonly problem: ConfigProblem }) {
  return (
    <main className="setup">
      <h1>Cruddur is not set up yet</h1>
      <p>The server of this page has to be told where Cognito and the API are:</p>
      <ul role="alert">
        {problem.problems.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p>
        Set these in the environment of the frontend and start it again, or put them into{" "}
        <code>config.json</code> beside the app. <code>make demo</code> sets all of them.
      </p>
    </main>
  );
}
