import { Link, NavLink } from "react-router";

import { Avatar } from "../parts/Avatar.tsx";
import { Brand } from "../parts/Brand.tsx";
import { Icon, type IconName } from "../parts/Icon.tsx";
import { useApp } from "../session/app-context.ts";
import type { User } from "../session/state.ts";

/** On a wide screen a column; on a phone a bar above and a bar below. */
export function Navigation({ onCompose }: { readonly onCompose: () => void }) {
  const { session } = useApp();
  const user = session.status === "signedIn" ? session.user : null;
  return (
    <header className="rail">
      <Link className="brand" to="/">
        <Brand />
      </Link>
      <nav className={user === null ? "nav alone" : "nav"} aria-label="Main">
        <ul>
          <Entry to="/" icon="home" label="Home" />
          {user !== null && <Entries user={user} />}
          {session.status === "restoring" && <Blanks />}
        </ul>
      </nav>
      {user !== null && (
        <button className="button primary crud" type="button" onClick={onCompose}>
          <Icon name="pen" />
          <span className="crud-label">Crud</span>
        </button>
      )}
      {user !== null && <Account user={user} />}
    </header>
  );
}

function Entries({ user }: { readonly user: User }) {
  return (
    <>
      <Entry to="/notifications" icon="bell" label="Notifications" />
      <Entry to="/messages" icon="mail" label="Messages" />
      <Entry to={`/@${encodeURIComponent(user.handle)}`} icon="person" label="Profile" />
    </>
  );
}

interface EntryProps {
  readonly to: string;
  readonly icon: IconName;
  readonly label: string;
}

function Entry({ to, icon, label }: EntryProps) {
  return (
    <li>
      <NavLink to={to} end>
        <Icon name={icon} />
        <span>{label}</span>
      </NavLink>
    </li>
  );
}

/** The shape of the entries of whoever is about to be signed in again. */
function Blanks() {
  return [0, 1, 2].map((number) => (
    <li key={number} className="blank-entry" aria-hidden="true">
      <span className="blank line" />
    </li>
  ));
}

function Account({ user }: { readonly user: User }) {
  const { signOut } = useApp();
  return (
    <div className="account">
      <Avatar name={user.name} seed={user.handle} />
      <div className="account-names">
        <span className="name">{user.name}</span>
        <span className="handle">@{user.handle}</span>
      </div>
      <button className="button quiet" type="button" onClick={() => void signOut()}>
        <Icon name="out" />
        <span>Sign Out</span>
      </button>
    </div>
  );
}
