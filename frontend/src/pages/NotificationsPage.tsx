import { useOutletContext } from "react-router";

import { Feed } from "../feed/Feed.tsx";
import { useActivities } from "../feed/useActivities.ts";
import { Empty } from "../parts/Empty.tsx";
import { Page } from "../parts/Page.tsx";
import { useApp } from "../session/app-context.ts";

export function NotificationsPage() {
  const isAnonymous = useApp().session.status === "anonymous";
  const activities = useActivities(
    isAnonymous ? null : "/api/activities/notifications",
    useOutletContext<string>(),
  );
  return (
    <Page title="Notifications">
      {isAnonymous ? (
        <Empty icon="bell" title="Nobody is signed in">
          Sign in to see what happened while you were away.
        </Empty>
      ) : (
        <Feed
          label="Notifications"
          activities={activities}
          empty={
            <Empty icon="bell" title="Nothing new">
              When somebody likes or answers what you said, it is here.
            </Empty>
          }
        />
      )}
    </Page>
  );
}
