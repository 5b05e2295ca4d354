import { Link } from "react-router";

import type { Activity } from "../api/activity.ts";
import { Avatar } from "../parts/Avatar.tsx";
import { Icon, type IconName } from "../parts/Icon.tsx";
import { exactTime, relativeTime } from "../parts/time.ts";
import { useUser } from "../session/app-context.ts";
import { profilePath, shownHandle } from "./names.ts";

interface Props {
  readonly activity: Activity;
  readonly now: Date;
  readonly isReply?: boolean;
}

/** One activity with its replies; the text is shown as it was typed, never as markup. */
export function ActivityCard({ activity, now, isReply = false }: Props) {
  const user = useUser();
  const handle = shownHandle(activity.handle, user);
  return (
    <article className={isReply ? "activity reply" : "activity"}>
      <Avatar name={handle} seed={handle} />
      <div className="activity-body">
        <header>
          <Link className="handle" to={profilePath(activity.handle, user)}>
            @{handle}
          </Link>
          <Time date={activity.createdAt} now={now} />
        </header>
        <p className="message" dir="auto">
          {activity.message}
        </p>
        {!isReply && <Facts activity={activity} now={now} />}
        {activity.replies.map((reply) => (
          <ActivityCard key={reply.uuid} activity={reply} now={now} isReply />
        ))}
      </div>
    </article>
  );
}

function Facts({ activity, now }: { readonly activity: Activity; readonly now: Date }) {
  return (
    <ul className="facts">
      <Fact icon="reply" count={activity.replies.length} one="reply" many="replies" />
      <Fact icon="repeat" count={activity.reposts} one="repost" many="reposts" />
      <Fact icon="heart" count={activity.likes} one="like" many="likes" />
      <li title={exactTime(activity.expiresAt)}>
        <Icon name="clock" />
        <span className="unseen">expires </span>
        {relativeTime(activity.expiresAt, now)}
      </li>
    </ul>
  );
}

interface FactProps {
  readonly icon: IconName;
  readonly count: number;
  readonly one: string;
  readonly many: string;
}

function Fact({ icon, count, one, many }: FactProps) {
  return (
    <li>
      <Icon name={icon} />
      {count.toLocaleString("en")}
      <span className="unseen"> {count === 1 ? one : many}</span>
    </li>
  );
}

function Time({ date, now }: { readonly date: Date; readonly now: Date }) {
  return (
    <time dateTime={date.toISOString()} title={exactTime(date)}>
      {relativeTime(date, now)}
    </time>
  );
}
