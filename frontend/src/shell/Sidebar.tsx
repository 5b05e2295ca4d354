// Beside the page of somebody who is signed in: what is liked most, and who else is here. Both are
// read from the home feed; there is no other source that would not be made up.

import { Link } from "react-router";

import type { Activity } from "../api/activity.ts";
import { useHomeFeed } from "../feed/home-feed.ts";
import { profilePath, shownHandle } from "../feed/names.ts";
import { Avatar } from "../parts/Avatar.tsx";
import { useUser } from "../session/app-context.ts";

const SHOWN = 3;

export function Sidebar() {
  const { list } = useHomeFeed();
  return (
    <aside
      className="side"
      aria-label="Trending and suggested users"
      aria-busy={list === null || undefined}
    >
      <section className="panel" aria-labelledby="trending">
        <h2 id="trending">Trending</h2>
        {list === null ? <Blanks /> : <Trending list={list} />}
      </section>
      <section className="panel" aria-labelledby="suggested">
        <h2 id="suggested">Suggested Users</h2>
        {list === null ? <Blanks /> : <Suggested list={list} />}
      </section>
    </aside>
  );
}

function Trending({ list }: { readonly list: readonly Activity[] }) {
  const user = useUser();
  const most = [...list].sort((a, b) => b.likes - a.likes).slice(0, SHOWN);
  return (
    <ol className="trending">
      {most.map((activity) => (
        <li key={activity.uuid}>
          <Link to={profilePath(activity.handle, user)}>
            <span className="excerpt">{activity.message}</span>
            <span className="quiet-text">
              {activity.likes.toLocaleString("en")} {activity.likes === 1 ? "like" : "likes"}
            </span>
          </Link>
        </li>
      ))}
    </ol>
  );
}

function Suggested({ list }: { readonly list: readonly Activity[] }) {
  const user = useUser();
  const handles = new Set(list.map(({ handle }) => handle).filter((one) => one !== user?.username));
  return (
    <ul className="suggested">
      {[...handles].slice(0, SHOWN).map((handle) => (
        <li key={handle}>
          <Link to={profilePath(handle, user)}>
            <Avatar name={shownHandle(handle, user)} seed={shownHandle(handle, user)} />
            <span>@{shownHandle(handle, user)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Blanks() {
  return (
    <div className="blanks" aria-hidden="true">
      {[0, 1, 2].map((number) => (
        <span className="blank line" key={number} />
      ))}
    </div>
  );
}
