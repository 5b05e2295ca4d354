import { expect, test, vi } from "vitest";

import { answer, stubApi } from "../testing/fakes.tsx";
import { SessionEnded, type TokenSource, createApiClient } from "./client.ts";
import { SIDECAR_REASONS } from "./problem.ts";
import { wordProblem } from "./wording.ts";

const readText = (body: unknown): string | null => (typeof body === "string" ? body : null);

function tokenSource(changed: Partial<TokenSource> = {}) {
  const tokens = {
    current: vi.fn<TokenSource["current"]>(() => Promise.resolve("old")),
    renewed: vi.fn<TokenSource["renewed"]>(() => Promise.resolve("new")),
    ended: vi.fn<TokenSource["ended"]>(),
  };
  return Object.assign(tokens, changed);
}

const anonymous = { current: vi.fn(() => Promise.resolve(null)) };
const expired = (): Response => answer(401, { error: "invalid_token", reason: "token_expired" });
const ask = (tokens: TokenSource) => createApiClient("http://api.test", tokens).get("/api", readText);
const bearers = (requests: Request[]) => requests.map(({ headers }) => headers.get("Authorization"));

test("a request carries the token of this moment, to the sidecar", async () => {
  const requests = stubApi(() => answer(200, "fine"));
  expect(await ask(tokenSource())).toEqual({ ok: true, value: "fine" });
  expect(requests.map(({ url }) => url)).toEqual(["http://api.test/api"]);
  expect(bearers(requests)).toEqual(["Bearer old"]);
});

test("without a session nothing is sent in the place of a token", async () => {
  const requests = stubApi(() => answer(200, "fine"));
  await ask(tokenSource(anonymous));
  expect(bearers(requests)).toEqual([null]);
});

test("what is posted is JSON", async () => {
  const requests = stubApi(() => answer(201, "made"));
  const api = createApiClient("http://api.test", tokenSource());
  expect(await api.post("/api", { message: "Hi" }, readText)).toEqual({ ok: true, value: "made" });
  expect(requests[0]?.method).toBe("POST");
  expect(requests[0]?.headers.get("Content-Type")).toBe("application/json");
  expect(await requests[0]?.json()).toEqual({ message: "Hi" });
});

test.each([
  ["401 token_expired", expired],
  [
    "200 for nobody, as mode `strip` answers",
    () => answer(200, "for nobody", { "X-Cognito-Auth": "anonymous; reason=token_expired" }),
  ],
  ["401 of a backend that was asked anonymously", () => answer(401, { error: "sign_in_required" })],
])("an expired token is renewed once and the request repeated: %s", async (_name, refusal) => {
  const tokens = tokenSource();
  const requests = stubApi(refusal, () => answer(200, "for you"));
  expect(await ask(tokens)).toEqual({ ok: true, value: "for you" });
  expect(bearers(requests)).toEqual(["Bearer old", "Bearer new"]);
  expect(tokens.renewed).toHaveBeenCalledOnce();
  expect(tokens.ended).not.toHaveBeenCalled();
});

test("a renewed token that is refused too ends the session, without a third request", async () => {
  const tokens = tokenSource();
  const requests = stubApi(expired);
  expect(await ask(tokens)).toEqual({ ok: false, problem: { reason: "session_ended" } });
  expect(requests).toHaveLength(2);
  expect(tokens.ended).toHaveBeenCalledOnce();
});

test("a token that cannot be renewed ends the session", async () => {
  const tokens = tokenSource({ renewed: () => Promise.reject(new SessionEnded()) });
  stubApi(expired);
  expect(await ask(tokens)).toEqual({ ok: false, problem: { reason: "session_ended" } });
  expect(tokens.ended).toHaveBeenCalledOnce();
});

test("a revoked token ends the session and is not renewed", async () => {
  const tokens = tokenSource();
  stubApi(() => answer(401, { error: "invalid_token", reason: "token_revoked" }));
  expect(await ask(tokens)).toEqual({ ok: false, problem: { reason: "session_ended" } });
  expect(tokens.renewed).not.toHaveBeenCalled();
  expect(tokens.ended).toHaveBeenCalledOnce();
});

test("who is not signed in is told to sign in, not that a session ended", async () => {
  const tokens = tokenSource(anonymous);
  stubApi(() => answer(401, { error: "sign_in_required" }));
  const problem = { reason: "sign_in_required", status: 401 };
  expect(await ask(tokens)).toEqual({ ok: false, problem });
  expect(tokens.ended).not.toHaveBeenCalled();
});

test.each(SIDECAR_REASONS.filter((reason) => !/^token_(expired|revoked)$/.test(reason)))(
  "a refusal keeps its reason and the session: %s",
  async (reason) => {
    const tokens = tokenSource();
    stubApi(() => answer(503, { error: "…", reason, request_id: "r-1" }));
    const problem = { reason, status: 503, requestId: "r-1" };
    expect(await ask(tokens)).toEqual({ ok: false, problem });
    expect(tokens.ended).not.toHaveBeenCalled();
  },
);

test("no answer is a network that is down, and the session stays", async () => {
  const tokens = tokenSource();
  stubApi(() => Promise.reject(new TypeError("Failed to fetch")));
  expect(await ask(tokens)).toEqual({ ok: false, problem: { reason: "network_down" } });
  expect(tokens.ended).not.toHaveBeenCalled();
});

test.each([
  ["an error page", () => new Response("<html>", { status: 500 }), 500],
  ["a reason nobody knows", () => answer(418, { reason: "teapot" }), 418],
  ["an answer of another shape", () => answer(200, { not: "text" }), 200],
])("what fits nothing is named as such: %s", async (_name, odd, status) => {
  stubApi(odd);
  expect(await ask(tokenSource())).toEqual({ ok: false, problem: { reason: "unexpected", status } });
});

test.each(SIDECAR_REASONS)("every reason has words of its own kind: %s", (reason) => {
  const words = wordProblem({ reason, status: 401, requestId: "r-1" });
  expect(words).toMatch(/^[A-Z].*\.$/);
  expect(words).not.toContain(reason);
});

test("a failure of the server's names the request, for whoever is asked about it", () => {
  const problem = { reason: "upstream_broken", status: 502, requestId: "r-1" } as const;
  expect(wordProblem(problem)).toContain("(Request r-1)");
  expect(wordProblem({ ...problem, requestId: null })).not.toContain("Request");
});
