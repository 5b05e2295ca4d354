import { type ReactNode, useEffect } from "react";

interface Props {
  readonly title: string;
  readonly children: ReactNode;
}

/** The middle of the screen: one heading, which is also the title of the tab. */
export function Page({ title, children }: Props) {
  useTitle(title);
  return (
    <>
      <h1 className="page-title" tabIndex={-1}>
        {title}
      </h1>
      {children}
    </>
  );
}

/** Name the tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Cruddur`;
  }, [title]);
}
