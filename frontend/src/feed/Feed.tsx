import type { ReactNode } from "react";

import { wordProblem } from "../api/wording.ts";
import { Alert } from "../parts/Alert.tsx";
import { ActivityCard } from "./ActivityCard.tsx";
import type { Activities } from "./useActivities.ts";

interface Props {
  readonly activities: Activities;
  readonly label: string;
  /** What to say when there is nothing. */
  readonly empty: ReactNode;
}

/** A list of activities in whatever state it is: loading, failed, empty, there. */
export function Feed({ activities: { list, problem, reload }, label, empty }: Props) {
  return (
    <>
      {problem !== null && (
        <div className="feed-problem">
          <Alert>{wordProblem(problem)}</Alert>
          <button className="button" type="button" onClick={reload}>
            Try again
          </button>
        </div>
      )}
      {list === null && problem === null && <Skeleton />}
      {list?.length === 0 && empty}
      {list !== null && list.length > 0 && <List label={label} list={list} />}
    </>
  );
}

function List({ label, list }: { readonly label: string; readonly list: NonNullable<Activities["list"]> }) {
  const now = new Date();
  return (
    <ol className="feed" aria-label={label}>
      {list.map((activity) => (
        <li key={activity.uuid}>
          <ActivityCard activity={activity} now={now} />
        </li>
      ))}
    </ol>
  );
}

/** The shape of what is to come, so that nothing jumps when it does. */
function Skeleton() {
  return (
    <div className="feed" aria-busy="true">
      <span className="unseen" role="status">
        Loading…
      </span>
      {[0, 1, 2, 3].map((number) => (
        <div className="activity" key={number} aria-hidden="true">
          <span className="avatar blank" />
          <div className="activity-body">
            <span className="blank line short" />
            <span className="blank line" />
            <span className="blank line half" />
          </div>
        </div>
      ))}
    </div>
  );
}
