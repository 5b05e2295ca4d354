// What the app shows to whom.

import { cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";

import { SessionEnded } from "../api/client.ts";
import { activity, answer, fakeCognito, renderApp, stubApi } from "../testing/fakes.tsx";

const user = userEvent.setup();

afterEach(cleanup);

test("nobody is shown the feed and the way in, and Cognito is not loaded", async () => {
  const cognito = fakeCognito();
  const requests = stubApi(() => answer(200, [activity()]));
  renderApp("/", cognito);
  expect(await screen.findByText("A warrior needs no holiday.")).toBeDefined();
  expect(screen.getByRole("link", { name: "Sign Up" })).toBeDefined();
  for (const name of ["Notifications", "Messages", "Profile"]) {
    expect(screen.queryByRole("link", { name })).toBeNull();
  }
  expect(screen.queryByRole("button", { name: "Crud" })).toBeNull();
  expect(screen.queryByText("Trending")).toBeNull();
  expect(cognito.prepare).not.toHaveBeenCalled();
  expect(cognito.accessToken).not.toHaveBeenCalled();
  expect(requests.map(({ headers }) => headers.has("Authorization"))).toEqual([false]);
});

test("a restored session asks once, with its token", async () => {
  const requests = stubApi(() => answer(200, [activity()]));
  renderApp("/", fakeCognito({}, true));
  expect(await screen.findByText("@ada")).toBeDefined();
  await screen.findAllByText("A warrior needs no holiday.");
  expect(requests.map(({ headers }) => headers.get("Authorization"))).toEqual(["Bearer token"]);
  expect(screen.getByText("Trending")).toBeDefined();
  expect(screen.getByText("Suggested Users")).toBeDefined();
});

test("a session that is over is said, and everybody's feed is shown", async () => {
  stubApi(() => answer(200, [activity()]));
  const ended = () => Promise.reject(new SessionEnded());
  const cognito = fakeCognito({ currentUser: ended }, true);
  renderApp("/", cognito);
  expect((await screen.findByRole("alert")).textContent).toMatch(/session has expired/);
  expect(await screen.findByText("A warrior needs no holiday.")).toBeDefined();
  expect(cognito.hasSession()).toBe(false);
});

test("Cognito out of reach keeps the session for later and shows everybody's feed", async () => {
  const requests = stubApi(() => answer(200, [activity()]));
  const offline = () => Promise.reject(Object.assign(new Error(), { name: "NetworkError" }));
  const cognito = fakeCognito({ currentUser: offline, accessToken: offline }, true);
  renderApp("/", cognito);
  expect((await screen.findByRole("alert")).textContent).toMatch(/cannot be reached/);
  expect(await screen.findByText("A warrior needs no holiday.")).toBeDefined();
  expect(requests.map(({ headers }) => headers.has("Authorization"))).toEqual([false]);
  expect(cognito.hasSession()).toBe(true);
});

test("a sign-out leaves the feed of nobody, even when Cognito cannot be told", async () => {
  stubApi(() => answer(200, [activity()]));
  const cognito = fakeCognito({ signOut: () => Promise.reject(new TypeError()) }, true);
  renderApp("/", cognito);
  await user.click(await screen.findByRole("button", { name: "Sign Out" }));
  expect(await screen.findByRole("link", { name: "Sign In" })).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
  expect(cognito.hasSession()).toBe(false);
});

test("a feed that cannot be loaded says why and can be asked for again", async () => {
  stubApi(
    () => Promise.reject(new TypeError()),
    () => answer(200, [activity()]),
  );
  renderApp("/");
  expect((await screen.findByRole("alert")).textContent).toMatch(/cannot be reached/);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("A warrior needs no holiday.")).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a feed with nothing in it says so", async () => {
  stubApi(() => answer(200, []));
  renderApp("/@nobody");
  expect(await screen.findByText("@nobody has said nothing that has not expired.")).toBeDefined();
});

test("what people write is text, never markup", async () => {
  const message = "<img src=x onerror=alert(1)>";
  stubApi(() => answer(200, [activity({ message })]));
  renderApp("/");
  expect(await screen.findByText(message)).toBeDefined();
  expect(document.querySelector("img")).toBeNull();
});

test.each(["/nowhere", "/@", "/a/b"])("a page that does not exist is one that says so: %s", (path) => {
  stubApi(() => answer(200, []));
  renderApp(path);
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Not found");
});
