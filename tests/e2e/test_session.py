"""How long somebody is signed in: over a reload and an expired token, not after a sign-out."""

from collections.abc import Iterator
from functools import partial

import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import Page, Response, expect

from deploy.local.aws import connect, connect_anonymously
from deploy.local.pool import DemoUser
from deploy.local.sign_in import sign_in as tokens_of
from tests.e2e.conftest import OpenPage
from tests.support.cruddur import (
    access_token,
    alert,
    expect_anonymous,
    expect_signed_in,
    feed,
    post,
    sign_in,
    sign_out,
    tokens_in,
)
from tests.support.stack import Stack

expires_after_s = partial(pytest.mark.parametrize, "short_tokens", indirect=True)

# What an update of the client has to repeat, or it is reset.
LIVES = ("AccessTokenValidity", "IdTokenValidity", "RefreshTokenValidity")
KEPT = (
    "ClientName",
    "ExplicitAuthFlows",
    "ReadAttributes",
    "WriteAttributes",
    "PreventUserExistenceErrors",
    "EnableTokenRevocation",
)


@pytest.fixture
def short_tokens(stack: Stack, request: pytest.FixtureRequest) -> Iterator[None]:
    """Let access tokens of the demo's own client live some seconds, as only the stand-in allows."""
    cognito = connect("cognito-idp", stack.pool.endpoint)
    ids = {"UserPoolId": stack.pool.user_pool_id, "ClientId": stack.pool.client_id}
    before = cognito.describe_user_pool_client(**ids)["UserPoolClient"]
    kept = {name: before[name] for name in KEPT}
    lives = {name: int(before[name]) for name in LIVES}  # the stand-in answers with text
    units = before["TokenValidityUnits"]
    short = {"AccessTokenValidity": request.param}
    in_seconds = {"TokenValidityUnits": {**units, "AccessToken": "seconds"}}
    cognito.update_user_pool_client(**ids, **kept, **lives | short, **in_seconds)
    yield
    cognito.update_user_pool_client(**ids, **kept, **lives, TokenValidityUnits=units)


@pytest.fixture(scope="module")
def strict_url(stack: Stack) -> Iterator[str]:
    """Run a sidecar that refuses bad tokens, and asks Cognito whether a good one was revoked."""
    frontend = stack.record["frontend_url"]
    with stack.asking_cognito(SIDECAR_MODE="optional", SIDECAR_CORS_ORIGINS=frontend) as url:
        yield url


def through(page: Page, stack: Stack, url: str) -> None:
    """Let another sidecar answer what this page asks the demo's."""
    usual = stack.record["sidecar_url"]
    page.route(
        f"{usual}/**",
        lambda route: route.continue_(url=route.request.url.replace(usual, url)),
    )


def wait_until_expired(page: Page, stack: Stack, token: str) -> None:
    """Ask the sidecar, from the page, until it takes the bearer of `token` for nobody."""
    page.evaluate(
        """async ([url, token]) => {
            const headers = { Authorization: `Bearer ${token}` };
            const isKnown = async () =>
                (await (await fetch(`${url}/api/whoami`, { headers })).json()).sub !== null;
            while (await isKnown()) await new Promise((resolve) => setTimeout(resolve, 250));
        }""",
        [stack.record["sidecar_url"], token],
    )


def is_renewal(response: Response) -> bool:
    operation = response.request.headers.get("x-amz-target", "")
    return operation.endswith(".GetTokensFromRefreshToken") and response.ok


def is_feed_for_another(response: Response, token: str) -> bool:
    bearer = response.request.headers.get("authorization", "")
    is_feed = response.url.endswith("/api/activities/home")
    return is_feed and response.ok and bearer not in ("", f"Bearer {token}")


def stop_the_clock(page: Page) -> None:
    """Let this browser take a token, once it has one, for as good as it was then for ever.

    Amplify knows from the token how far a clock is off; it does not know that one stands still.
    """
    page.clock.set_fixed_time(page.evaluate("Date.now() / 1000"))


def test_reload_keeps_the_session(page: Page, person: DemoUser) -> None:
    """A reload and a second tab show the same user; no password is asked for."""
    sign_in(page, person)
    page.reload()
    expect_signed_in(page, person)
    second = page.context.new_page()
    second.goto("/")
    expect_signed_in(second, person)


@pytest.mark.usefixtures("short_tokens")
@expires_after_s([10])
def test_expired_token_is_renewed_by_itself(page: Page, stack: Stack, person: DemoUser) -> None:
    """After ten seconds the next click renews the token first, and shows what it should."""
    sign_in(page, person)
    token = access_token(page, stack)
    wait_until_expired(page, stack, token)
    with page.expect_response(is_renewal):
        page.get_by_role("link", name="Notifications").click()
    page.get_by_role("link", name="Home").click()
    expect_signed_in(page, person)
    assert access_token(page, stack) != token


@pytest.mark.usefixtures("short_tokens")
@expires_after_s([6])
def test_refused_token_is_renewed_once_and_asked_again(
    page: Page, stack: Stack, strict_url: str, person: DemoUser
) -> None:
    """A browser whose clock stands still believes in its token; the sidecar's 401 corrects it."""
    stop_the_clock(page)
    sign_in(page, person)
    token = access_token(page, stack)
    wait_until_expired(page, stack, token)
    through(page, stack, strict_url)
    with (
        page.expect_response(lambda response: response.status == 401) as refused,
        page.expect_response(is_renewal),
        page.expect_response(lambda response: is_feed_for_another(response, token)),
    ):
        page.get_by_role("link", name="Home").click()
    assert refused.value.json()["reason"] == "token_expired"
    assert refused.value.request.headers["authorization"] == f"Bearer {token}"
    expect_signed_in(page, person)


@pytest.mark.usefixtures("short_tokens")
@expires_after_s([6])
def test_anonymous_refusal_of_a_post_renews_and_posts_once(
    page: Page, stack: Stack, person: DemoUser
) -> None:
    """In mode `strip` the backend refuses a stale post; it arrives after a renewal, one time."""
    stop_the_clock(page)
    sign_in(page, person)
    wait_until_expired(page, stack, access_token(page, stack))
    message = f"Posted late by {person.name}"
    with page.expect_response(lambda response: response.status == 401) as refused:
        post(page, message)
    assert refused.value.json()["error"] == "sign_in_required"
    expect(feed(page).get_by_role("listitem").filter(has_text=message)).to_have_count(1)


def test_session_revoked_elsewhere_is_said(page: Page, stack: Stack, person: DemoUser) -> None:
    """Signed out everywhere by another device: words, everybody's feed, and no token left."""
    sign_in(page, person)
    other = tokens_of(stack.pool, person).access_token
    connect_anonymously(stack.pool.endpoint).global_sign_out(AccessToken=other)
    page.reload()
    expect(alert(page)).to_have_text("Your session has expired. Sign in again.")
    expect_anonymous(page)
    assert stack.pool.client_id not in tokens_in(page)


def test_token_refused_as_revoked_ends_the_session(
    page: Page, stack: Stack, strict_url: str, person: DemoUser
) -> None:
    """The sidecar's own reason `token_revoked` is enough; no reload is needed to find out."""
    sign_in(page, person)
    other = tokens_of(stack.pool, person).access_token
    connect_anonymously(stack.pool.endpoint).global_sign_out(AccessToken=other)
    through(page, stack, strict_url)
    with page.expect_response(lambda response: response.status == 401) as refused:
        page.get_by_role("link", name="Home").click()
    assert refused.value.json()["reason"] == "token_revoked"
    expect(alert(page)).to_have_text("Your session has expired. Sign in again.")
    expect_anonymous(page)


def test_nothing_is_left_after_a_sign_out(page: Page, stack: Stack, person: DemoUser) -> None:
    """No token and no name in the browser; what was copied before renews nothing any more."""
    sign_in(page, person)
    kept = tokens_in(page)
    assert access_token(page, stack) in kept
    refresh_token = page.evaluate(
        "Object.entries(localStorage).find(([name]) => name.endsWith('.refreshToken'))[1]"
    )
    sign_out(page)
    assert tokens_in(page) == '[{},{},"",[],[]]'
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        connect_anonymously(stack.pool.endpoint).initiate_auth(
            ClientId=stack.pool.client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": refresh_token},
        )
    page.reload()
    expect_anonymous(page)


@pytest.mark.usefixtures("short_tokens")
@expires_after_s([6])
def test_sign_out_with_an_expired_token_signs_out_everywhere(
    page: Page, stack: Stack, open_page: OpenPage, person: DemoUser
) -> None:
    """Cognito wants a token that is still good to end a session; the app gets one first."""
    elsewhere = open_page()
    sign_in(elsewhere, person)
    sign_in(page, person)
    wait_until_expired(page, stack, access_token(page, stack))
    sign_out(page)
    elsewhere.reload()
    expect(alert(elsewhere)).to_have_text("Your session has expired. Sign in again.")


def test_sign_out_in_one_tab_is_one_in_the_other(page: Page, person: DemoUser) -> None:
    """The other tab of the same browser shows nobody, without a reload."""
    sign_in(page, person)
    second = page.context.new_page()
    second.goto("/")
    expect_signed_in(second, person)
    sign_out(page)
    expect_anonymous(second)
