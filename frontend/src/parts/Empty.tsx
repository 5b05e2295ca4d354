import type { ReactNode } from "react";

import { Icon, type IconName } from "./Icon.tsx";

interface Props {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ReactNode;
}

/** Said where there is nothing to show: what would be here, and why it is not. */
export function Empty({ icon, title, children }: Props) {
  return (
    <div className="empty">
      <Icon name={icon} />
      <p className="empty-title">{title}</p>
      <p>{children}</p>
    </div>
  );
}
