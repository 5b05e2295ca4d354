import type { ReactNode } from "react";

import { Icon } from "./Icon.tsx";

/** Something went wrong: shown, and read out at once. */
export function Alert({ children }: { readonly children: ReactNode }) {
  return (
    <div className="alert" role="alert">
      <Icon name="warning" />
      <p>{children}</p>
    </div>
  );
}
