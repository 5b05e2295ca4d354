/** Where an account is confirmed; the address is in the link, so it survives a reload. */
export function confirmPath(email: string): string {
  return `/confirm?${new URLSearchParams({ email }).toString()}`;
}

/** Where a confirmed account signs in. */
export function confirmedPath(email: string): string {
  return `/signin?${new URLSearchParams({ email, confirmed: "" }).toString()}`;
}
