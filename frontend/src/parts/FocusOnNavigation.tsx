import { useEffect, useRef } from "react";
import { useLocation } from "react-router";

/** Put the focus on the heading of a new page, as a browser does when it loads one. */
export function FocusOnNavigation() {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    scrollTo(0, 0);
    document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [pathname]);
  return null;
}
