import { Empty } from "../parts/Empty.tsx";
import { Page } from "../parts/Page.tsx";
import { useApp } from "../session/app-context.ts";

export function MessagesPage() {
  const isAnonymous = useApp().session.status === "anonymous";
  return (
    <Page title="Messages">
      {isAnonymous ? (
        <Empty icon="mail" title="Nobody is signed in">
          Sign in to see your messages.
        </Empty>
      ) : (
        <Empty icon="mail" title="No messages">
          The sample backend has no messages yet. When it does, yours will be here.
        </Empty>
      )}
    </Page>
  );
}
