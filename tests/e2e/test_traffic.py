"""Where the app's requests go, what they carry, and what becomes of them when nothing answers."""

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, expect

from deploy.local.pool import DemoUser
from tests.support.cruddur import (
    access_token,
    alert,
    expect_anonymous,
    expect_signed_in,
    feed,
    fill_sign_in,
    post,
    sign_in,
)
from tests.support.ports import free_port
from tests.support.processes import until
from tests.support.stack import ROOT, Stack, ask


@pytest.fixture
def requests(page: Page) -> list[Request]:
    """Everything the page asks for, from the first request on."""
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request))  # noqa: PLW0108 - Playwright marks it
    return seen


def sent_to(requests: list[Request], url: str) -> list[Request]:
    return [request for request in requests if request.url.startswith(url + "/")]


def test_traffic_goes_to_the_sidecar_with_a_bearer_token(
    page: Page, requests: list[Request], stack: Stack, person: DemoUser
) -> None:
    """Every call of the API carries the token, nothing else does, nobody else is asked."""
    sign_in(page, person)
    requests.clear()
    page.reload()
    expect_signed_in(page, person)
    post(page, f"Sent by {person.name}")
    for name in ("Notifications", "Profile"):
        page.get_by_role("link", name=name).click()
        expect(feed(page)).to_be_visible()

    record, bearer = stack.record, f"Bearer {access_token(page, stack)}"
    api = sent_to(requests, record["sidecar_url"])
    paths = {request.url.removeprefix(record["sidecar_url"]) for request in api}
    assert {"/api/activities/home", "/api/activities", "/api/activities/notifications"} <= paths
    assert {request.headers.get("authorization") for request in api} == {bearer}
    others = [request for request in requests if request not in api]
    assert not [request for request in others if bearer in str(request.headers)]
    known = [record[name] for name in ("frontend_url", "cognito_endpoint")]
    assert [request.url for request in others if not request.url.startswith(tuple(known))] == []


def test_anonymous_visit_asks_cognito_nothing(
    page: Page, requests: list[Request], stack: Stack
) -> None:
    """A visitor gets the feed without a token, and without the code that signs people in."""
    page.goto("/")
    expect_anonymous(page)
    api = sent_to(requests, stack.record["sidecar_url"])
    assert api
    assert not [request for request in api if "authorization" in request.headers]
    assert sent_to(requests, stack.record["cognito_endpoint"]) == []
    assert not [request.url for request in requests if "amplify" in request.url]


def test_policy_lets_a_script_talk_to_nobody_else(page: Page, stack: Stack) -> None:
    """The backend would answer this origin; the browser does not even ask."""
    backend = f"{stack.record['backend_url']}/api/whoami"
    origin = {"Origin": stack.record["frontend_url"]}
    assert ask(backend, fields=origin).fields["Access-Control-Allow-Origin"] == origin["Origin"]
    lonely = page.context.new_page()  # not watched: it violates the policy on purpose
    lonely.goto("/")
    tried = lonely.evaluate("(url) => fetch(url).then(() => 'sent', () => 'stopped')", backend)
    assert tried == "stopped"


def test_spoofed_identity_from_a_browser_changes_nothing(
    page: Page, stack: Stack, person: DemoUser
) -> None:
    """Headers naming Ada make nobody Ada: not a visitor, not another user."""
    ada = stack.pool.users[0]
    spoofed = {"X-Cognito-Sub": ada.sub, "X-Cognito-Username": ada.sub, "X-Request-Id": "spoofed"}
    page.route(
        f"{stack.record['sidecar_url']}/**",  # behind CORS, which would stop a script's own
        lambda route: route.continue_(headers=route.request.headers | spoofed),
    )
    with page.expect_response(f"{stack.record['sidecar_url']}/**") as answered:
        page.goto("/")
    assert answered.value.all_headers()["x-request-id"] == "spoofed"  # so they did arrive
    expect_anonymous(page)

    sign_in(page, person)
    message = f"Not by Ada but by {person.name}"
    post(page, message)
    path = f"/api/activities/@{person.sub}"
    assert [activity["message"] for activity in stack.ask(path).body] == [message]
    assert message not in str(stack.ask(f"/api/activities/@{ada.sub}").body)


def test_network_that_is_down_is_said_and_the_draft_is_kept(page: Page, person: DemoUser) -> None:
    """Words instead of a blank page; what was written is posted once the network is back."""
    sign_in(page, person)
    message = f"Written offline by {person.name}"
    page.get_by_role("button", name="Crud").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(message)
    page.context.set_offline(offline=True)
    dialog.get_by_role("button", name="Crud").click()
    words = "The server cannot be reached. Check your connection and try again."
    expect(dialog.get_by_role("alert")).to_have_text(words)
    page.context.set_offline(offline=False)
    dialog.get_by_role("button", name="Crud").click()
    expect(feed(page)).to_contain_text(message)


def test_feed_can_be_asked_for_again(page: Page, stack: Stack) -> None:
    """A feed that did not come is there after `Try again`."""
    everything = f"{stack.record['sidecar_url']}/**"
    page.route(everything, lambda route: route.abort())
    page.goto("/")
    expect(alert(page)).to_contain_text("The server cannot be reached.")
    page.unroute(everything)
    page.get_by_role("button", name="Try again").click()
    expect_anonymous(page)
    expect(alert(page)).to_have_count(0)


def test_sign_in_without_cognito_is_said(page: Page, stack: Stack, person: DemoUser) -> None:
    """A sign-in server that is down is called that, and not a wrong password."""
    page.route(f"{stack.record['cognito_endpoint']}/**", lambda route: route.abort())
    page.goto("/signin")
    fill_sign_in(page, person.email, person.password)
    expect(alert(page)).to_contain_text("The sign-in server cannot be reached.")


@pytest.fixture
def bare_url() -> Iterator[str]:
    """Serve the same bundle with no settings at all."""
    port = free_port()
    process = subprocess.Popen(
        ["node", "frontend/serve.mjs"],
        cwd=ROOT,
        env={"FRONTEND_PORT": str(port), "PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    url = f"http://localhost:{port}"
    try:
        until(lambda: ask(f"{url}/config.json").status == 200, process)
        yield url
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_missing_settings_are_one_clear_page(page: Page, bare_url: str) -> None:
    """Every name that has to be set is on the page, and nothing else is tried."""
    page.goto(bare_url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Cruddur is not set up yet")
    for name in ("USER_POOL_ID", "CLIENT_ID", "REGION"):
        expect(alert(page)).to_contain_text(f"VITE_COGNITO_{name} is not set")
    expect(alert(page)).to_contain_text("VITE_API_URL is not set")
