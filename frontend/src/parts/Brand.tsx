/** The mark and the name. */
export function Brand() {
  return (
    <>
      <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="9" />
        <path d="M22 11.5a7 7 0 1 0 0 9" />
        <circle cx="17" cy="16" r="2.2" />
      </svg>
      <span className="brand-name">Cruddur</span>
    </>
  );
}
