import { Feed } from "../feed/Feed.tsx";
import { useHomeFeed } from "../feed/home-feed.ts";
import { Empty } from "../parts/Empty.tsx";
import { Page } from "../parts/Page.tsx";

export function HomePage() {
  return (
    <Page title="Home">
      <Feed
        label="Home feed"
        activities={useHomeFeed()}
        empty={
          <Empty icon="home" title="It is quiet here">
            Nobody has said anything that has not expired.
          </Empty>
        }
      />
    </Page>
  );
}
