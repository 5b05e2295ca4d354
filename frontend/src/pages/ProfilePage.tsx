import { useOutletContext, useParams } from "react-router";

import { Feed } from "../feed/Feed.tsx";
import { activitiesPath, shownHandle } from "../feed/names.ts";
import { useActivities } from "../feed/useActivities.ts";
import { Avatar } from "../parts/Avatar.tsx";
import { Empty } from "../parts/Empty.tsx";
import { useTitle } from "../parts/Page.tsx";
import { useUser } from "../session/app-context.ts";
import { NotFoundPage } from "./NotFoundPage.tsx";

/** `/@handle`; the router cannot match half a segment, so this page does. */
export function ProfilePage() {
  const { at = "" } = useParams();
  return at.startsWith("@") && at.length > 1 ? <Profile handle={at.slice(1)} /> : <NotFoundPage />;
}

function Profile({ handle }: { readonly handle: string }) {
  const user = useUser();
  const shown = shownHandle(handle, user);
  const isOwn = user !== null && shown === user.handle;
  const activities = useActivities(activitiesPath(handle, user), useOutletContext<string>());
  useTitle(`@${shown}`);
  return (
    <>
      <header className="profile-head">
        <Avatar name={isOwn ? user.name : shown} seed={shown} />
        <div>
          <h1 tabIndex={-1}>{isOwn ? user.name : `@${shown}`}</h1>
          <p>{isOwn ? `@${shown}` : "On Cruddur"}</p>
        </div>
      </header>
      <Feed
        label={`Activities of @${shown}`}
        activities={activities}
        empty={
          <Empty icon="person" title={isOwn ? "You have not said anything yet" : "Nothing here"}>
            {isOwn
              ? "The Crud button is where it starts."
              : `@${shown} has said nothing that has not expired.`}
          </Empty>
        }
      />
    </>
  );
}
