// What is around every page: navigation, the page itself, what is beside it, the compose dialog.

import { useRef, useState } from "react";
import { Outlet, useLocation } from "react-router";

import { Compose } from "../feed/Compose.tsx";
import { HomeFeedContext } from "../feed/home-feed.ts";
import { useActivities } from "../feed/useActivities.ts";
import { Alert } from "../parts/Alert.tsx";
import { useApp } from "../session/app-context.ts";
import { ENDINGS } from "../session/wording.ts";
import { Join } from "./Join.tsx";
import { Navigation } from "./Navigation.tsx";
import { Sidebar } from "./Sidebar.tsx";

export function Shell() {
  const { session } = useApp();
  const { key } = useLocation();
  const compose = useRef<HTMLDialogElement>(null);
  const [postedCount, setPostedCount] = useState(0);
  const version = `${key} ${postedCount}`; // going somewhere is asking again, and so is posting
  const homeFeed = useActivities("/api/activities/home", version);

  return (
    <HomeFeedContext value={homeFeed}>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <div className="shell">
        <Navigation
          onCompose={() => {
            compose.current?.showModal();
            compose.current?.querySelector("textarea")?.focus(); // not Close, which comes first
          }}
        />
        {session.status === "anonymous" && <Join />}
        <main id="main" tabIndex={-1}>
          {session.status === "anonymous" && session.ending !== null && (
            <Alert>{ENDINGS[session.ending]}</Alert>
          )}
          <Outlet context={version} />
        </main>
        {session.status !== "anonymous" && <Sidebar />}
      </div>
      <Compose
        dialog={compose}
        onPosted={() => {
          setPostedCount((count) => count + 1);
        }}
      />
      <Posted count={postedCount} />
    </HomeFeedContext>
  );
}

/** Says so once, for a few seconds: the styles take it away. */
function Posted({ count }: { readonly count: number }) {
  return (
    <div className="toasts" role="status">
      {count > 0 && (
        <p className="toast" key={count}>
          Posted.
        </p>
      )}
    </div>
  );
}
