// Every form of the app, filled in as a person would; Cognito and the network are fakes.

import { cleanup, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";

import { activity, answer, cognitoError, fakeCognito, renderApp, stubApi } from "../testing/fakes.tsx";

const user = userEvent.setup();
const click = (name: string) => user.click(screen.getByRole("button", { name }));
const fill = (label: string, text: string) => user.type(screen.getByLabelText(label), text);
const alertText = async () => (await screen.findByRole("alert")).textContent;
const here = () => location.pathname + location.search;

beforeEach(() => {
  stubApi(() => answer(200, [activity()]));
});
afterEach(cleanup);

async function signIn(): Promise<void> {
  await fill("Email", "ada@example.com");
  await fill("Password", "Analytical-1843");
  await click("Sign In");
}

test("a sign-in leads home, and the navigation is the user's", async () => {
  const cognito = fakeCognito();
  renderApp("/signin", cognito);
  expect(cognito.prepare).toHaveBeenCalled();
  await signIn();
  expect(await screen.findByText("@ada")).toBeDefined();
  expect(here()).toBe("/");
  expect(cognito.signIn).toHaveBeenCalledWith("ada@example.com", "Analytical-1843");
  for (const name of ["Notifications", "Messages", "Profile"]) {
    expect(screen.getByRole("link", { name })).toBeDefined();
  }
});

test("nobody is asked about an empty form; the first field says what it wants", async () => {
  const cognito = fakeCognito();
  renderApp("/signin", cognito);
  await click("Sign In");
  expect(await alertText()).toMatch(/email address/);
  expect(document.activeElement).toBe(screen.getByLabelText("Email"));
  expect(screen.getByLabelText("Email").getAttribute("aria-invalid")).toBe("true");
  expect(cognito.signIn).not.toHaveBeenCalled();
});

test("a wrong password is said, and the form can be used again", async () => {
  const cognito = fakeCognito();
  cognito.signIn.mockRejectedValueOnce(cognitoError("NotAuthorizedException"));
  renderApp("/signin", cognito);
  await signIn();
  expect(await alertText()).toBe("The email or the password is wrong.");
  await click("Sign In");
  expect(await screen.findByText("@ada")).toBeDefined();
});

test("a double click signs in once", async () => {
  const cognito = fakeCognito();
  renderApp("/signin", cognito);
  await fill("Email", "ada@example.com");
  await fill("Password", "Analytical-1843");
  await user.dblClick(screen.getByRole("button", { name: "Sign In" }));
  await screen.findByText("@ada");
  expect(cognito.signIn).toHaveBeenCalledOnce();
});

test("an account that is not confirmed leads to its confirmation", async () => {
  const cognito = fakeCognito({ signIn: () => Promise.resolve("confirm") });
  renderApp("/signin", cognito);
  await signIn();
  await screen.findByLabelText("Confirmation Code");
  expect(here()).toBe("/confirm?email=ada%40example.com");
});

test("a session that breaks at once is said in the form", async () => {
  const cognito = fakeCognito();
  cognito.currentUser.mockRejectedValueOnce(cognitoError("NetworkError"));
  renderApp("/signin", cognito);
  await signIn();
  expect(await alertText()).toMatch(/cannot be reached/);
  expect(here()).toBe("/signin");
});

test("an account with a second factor is not left without a word", async () => {
  renderApp("/signin", fakeCognito({ signIn: () => Promise.resolve("unsupported") }));
  await signIn();
  expect(await alertText()).toMatch(/second factor/);
});

test("a sign-up sends what was typed and leads to the confirmation", async () => {
  const cognito = fakeCognito();
  renderApp("/signup", cognito);
  await fill("Name", "Ada Lovelace");
  await fill("Email", "ada@example.com");
  await fill("Username", "@ada");
  await fill("Password", "Analytical-1843");
  await click("Sign Up");
  await screen.findByLabelText("Confirmation Code");
  expect(here()).toBe("/confirm?email=ada%40example.com");
  expect(cognito.signUp).toHaveBeenCalledWith({
    name: "Ada Lovelace",
    email: "ada@example.com",
    handle: "ada",
    password: "Analytical-1843",
  });
});

test("a confirmation leads to a sign-in that knows the address", async () => {
  const cognito = fakeCognito();
  renderApp("/confirm?email=ada%40example.com", cognito);
  await fill("Confirmation Code", "123 456");
  await click("Confirm Email");
  expect(await screen.findByText(/Your email is confirmed/)).toBeDefined();
  expect(cognito.confirm).toHaveBeenCalledWith("ada@example.com", "123456");
  expect(screen.getByLabelText<HTMLInputElement>("Email").value).toBe("ada@example.com");
});

test("a wrong code is said at the code", async () => {
  const cognito = fakeCognito();
  cognito.confirm.mockRejectedValueOnce(cognitoError("CodeMismatchException"));
  renderApp("/confirm?email=ada%40example.com", cognito);
  await fill("Confirmation Code", "000000");
  await click("Confirm Email");
  expect(await alertText()).toMatch(/not right/);
  expect(document.activeElement).toBe(screen.getByLabelText("Confirmation Code"));
});

test("a new code is asked for, for the address that is in the form", async () => {
  const cognito = fakeCognito();
  renderApp("/confirm", cognito);
  await click("Resend Activation Code");
  expect(await alertText()).toMatch(/email address/);
  await fill("Email", "ada@example.com");
  await click("Resend Activation Code");
  expect(
    await screen.findByText("A new activation code has been sent to your email"),
  ).toBeDefined();
  expect(cognito.resendCode.mock.calls).toEqual([["ada@example.com"]]);
});

async function askForRecovery(): Promise<void> {
  await fill("Email", "ada@example.com");
  await click("Send Recovery Code");
  await screen.findByLabelText("Reset Password Code");
}

test("a password is recovered in three steps", async () => {
  const cognito = fakeCognito();
  renderApp("/forgot", cognito);
  await askForRecovery();
  await fill("Reset Password Code", "123456");
  await fill("New Password", "Difference-1822");
  await fill("New Password Again", "Difference-1822");
  await click("Reset Password");
  const onwards = await screen.findByRole("link", { name: "Proceed to Signin" });
  expect(onwards.getAttribute("href")).toBe("/signin");
  expect(cognito.resetPassword).toHaveBeenCalledWith("ada@example.com", "123456", "Difference-1822");
});

test("passwords that do not match say so, and Cognito is not asked", async () => {
  const cognito = fakeCognito();
  renderApp("/forgot", cognito);
  await askForRecovery();
  await fill("Reset Password Code", "123456");
  await fill("New Password", "Difference-1822");
  await fill("New Password Again", "Difference-1823");
  await click("Reset Password");
  expect(await alertText()).toBe("The two passwords do not match.");
  expect(cognito.resetPassword).not.toHaveBeenCalled();
});

async function openCompose(): Promise<void> {
  renderApp("/signin");
  await signIn();
  await screen.findByText("@ada");
  await user.click(screen.getByRole("button", { name: "Crud" }));
}

const compose = () => screen.getByLabelText<HTMLTextAreaElement>("What would you like to say?");
const post = () => {
  const button = compose().form?.querySelector<HTMLElement>("[type=submit]");
  return user.click(button ?? document.body);
};

test("what is composed is posted once, and the dialog closes", async () => {
  await openCompose();
  const made = activity({ message: "Hello", handle: "ada" });
  const requests = stubApi(
    () => answer(201, made),
    () => answer(200, [made]),
  );
  await user.type(compose(), "Hello");
  await user.selectOptions(screen.getByLabelText("Expires after"), "1 hour");
  await post();
  expect((await screen.findAllByText("Hello")).length).toBeGreaterThan(0);
  expect(await requests[0]?.json()).toEqual({ message: "Hello", ttl: "1-hour" });
  expect(requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  await waitFor(() => {
    expect(document.querySelector("dialog")?.open).toBe(false);
  });
});

test.each([
  ["nothing", " ", /Write something/],
  ["too much", "x".repeat(281), /at most 280/],
])("%s is not posted", async (_name, text, words) => {
  await openCompose();
  const requests = stubApi(() => answer(500, null));
  compose().focus();
  await user.paste(text);
  await post();
  expect(await alertText()).toMatch(words);
  expect(requests).toHaveLength(0);
});

test("an emoji counts as the backend counts it", async () => {
  await openCompose();
  compose().focus();
  await user.paste("🖖".repeat(280));
  expect(screen.getByText("0 characters left")).toBeDefined();
});

test("a post that is refused keeps the draft and says why", async () => {
  await openCompose();
  stubApi(() => answer(503, { error: "…", reason: "overloaded", request_id: "r-1" }));
  await user.type(compose(), "Hello");
  await post();
  expect(await alertText()).toBe("The server is busy. Try again in a moment. (Request r-1)");
  expect(compose().value).toBe("Hello");
});
