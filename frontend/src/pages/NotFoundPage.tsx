import { Link } from "react-router";

import { Page } from "../parts/Page.tsx";

export function NotFoundPage() {
  return (
    <Page title="Not found">
      <div className="empty">
        <p className="empty-title">There is no page at this address</p>
        <p>
          <Link to="/">Go to the home feed</Link>
        </p>
      </div>
    </Page>
  );
}
