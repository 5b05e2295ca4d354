import { Link } from "react-router";

/** Beside the feed of somebody who is not signed in. */
export function Join() {
  return (
    <aside className="side join" aria-labelledby="join-title">
      <section className="panel">
        <h2 id="join-title">Join Cruddur</h2>
        <p>Say something to everyone. It goes away by itself, after an hour or after a month.</p>
        <p className="buttons">
          <Link className="button primary" to="/signup">
            Sign Up
          </Link>
          <Link className="button" to="/signin">
            Sign In
          </Link>
        </p>
      </section>
    </aside>
  );
}
