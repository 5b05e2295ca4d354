"""A user signs in at a real (local) Cognito and asks a real backend through the sidecar.

What the backend received is what counts: it tells in `/api/whoami`.
"""

import time
from collections.abc import Iterator

import pytest

from deploy.local.aws import connect_anonymously
from deploy.local.pool import create_short_lived_client
from deploy.local.sign_in import Tokens, sign_in
from tests.support.stack import Stack, ask, running_sidecar

ANONYMOUS = {"sub": None, "username": None}
FEED = "/api/activities/home"


def handles(feed: list[dict[str, object]]) -> list[object]:
    """Who wrote the activities of a feed."""
    return [activity["handle"] for activity in feed]


def test_signed_in_user_sees_one_activity_more(stack: Stack, tokens: Tokens) -> None:
    """The feed of a signed-in user begins with Lore, which an anonymous one does not have."""
    anonymous = stack.ask(FEED)
    signed_in = stack.ask(FEED, token=tokens.access_token)
    assert "Lore" not in handles(anonymous.body)
    assert handles(signed_in.body) == ["Lore", *handles(anonymous.body)]


def test_identity_of_the_token_reaches_the_backend(stack: Stack, tokens: Tokens) -> None:
    """The backend is told the sub and the username that Cognito put into the token."""
    reply = stack.ask("/api/whoami", token=tokens.access_token)
    sub = stack.pool.users[0].sub
    assert reply.body == {"sub": sub, "username": sub}
    assert reply.fields["X-Cognito-Auth"] == "authenticated"


def test_request_without_token_is_anonymous(stack: Stack) -> None:
    """Without a token the backend is told nobody."""
    reply = stack.ask("/api/whoami")
    assert reply.body == ANONYMOUS
    assert reply.fields["X-Cognito-Auth"] == "anonymous"


def test_tampered_token_is_anonymous(stack: Stack, tokens: Tokens) -> None:
    """A token with another signature proves nobody, and the answer says so."""
    head, _, signature = tokens.access_token.rpartition(".")
    tampered = f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    reply = stack.ask("/api/whoami", token=tampered)
    assert reply.body == ANONYMOUS
    assert reply.fields["X-Cognito-Auth"] == "anonymous; reason=signature_invalid"


@pytest.mark.parametrize("name", ["X-Cognito-Sub", "x-cognito-sub", "X_Cognito_Sub"])
def test_spoofed_identity_field_never_arrives(stack: Stack, name: str) -> None:
    """A client that names itself is nobody, in whatever spelling."""
    assert stack.ask("/api/whoami", fields={name: "somebody-else"}).body == ANONYMOUS
    assert "Lore" not in handles(stack.ask(FEED, fields={name: "somebody-else"}).body)


def test_spoofed_identity_field_beside_a_token_is_replaced(stack: Stack, tokens: Tokens) -> None:
    """A signed-in client cannot pass for somebody else."""
    fields = {"X-Cognito-Sub": "somebody-else", "X-Cognito-Username": "somebody"}
    reply = stack.ask("/api/whoami", token=tokens.access_token, fields=fields)
    assert reply.body["sub"] == stack.pool.users[0].sub


def test_id_token_is_not_accepted_by_default(stack: Stack, tokens: Tokens) -> None:
    """Only access tokens open the API unless a setting says otherwise."""
    reply = stack.ask("/api/whoami", token=tokens.id_token)
    assert reply.body == ANONYMOUS
    assert reply.fields["X-Cognito-Auth"] == "anonymous; reason=token_use_mismatch"


def test_posted_activity_names_the_user_of_the_token(stack: Stack, tokens: Tokens) -> None:
    """Who posts is taken from the identity, never from the body."""
    body = {"message": "Nothing but the headers", "ttl": "1-day", "handle": "somebody-else"}
    posted = stack.ask("/api/activities", token=tokens.access_token, json_body=body)
    assert posted.status == 201
    assert posted.body["handle"] == stack.pool.users[0].sub
    assert "Nothing but the headers" in [a["message"] for a in stack.ask(FEED).body]


def test_anonymous_post_is_refused_by_the_backend(stack: Stack) -> None:
    """The backend refuses to publish for nobody."""
    reply = stack.ask("/api/activities", json_body={"message": "hello", "ttl": "1-day"})
    assert reply.status == 401


def test_preflight_of_the_frontend_is_answered_by_the_backend(stack: Stack) -> None:
    """A browser on the frontend's origin may send Authorization to the sidecar's port."""
    origin = stack.record["frontend_url"]
    fields = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    reply = stack.ask(FEED, method="OPTIONS", fields=fields)
    assert reply.status == 200
    assert reply.fields["Access-Control-Allow-Origin"] == origin
    assert "authorization" in reply.fields["Access-Control-Allow-Headers"].lower()


class TestShortTokens:
    """A sidecar of its own that also accepts a client whose tokens live ten seconds."""

    @pytest.fixture(scope="class")
    @staticmethod
    def client_id(stack: Stack) -> str:
        return create_short_lived_client(stack.pool, access_token_s=10)

    @pytest.fixture(scope="class")
    @staticmethod
    def sidecar_url(stack: Stack, client_id: str) -> Iterator[str]:
        with running_sidecar(
            stack.record["backend_url"],
            AWS_COGNITO_USER_POOL_ID=stack.pool.user_pool_id,
            AWS_COGNITO_USER_POOL_CLIENT_ID=f"{stack.pool.client_id},{client_id}",
            SIDECAR_JWKS_URL=stack.pool.jwks_url,
            SIDECAR_MODE="optional",
        ) as url:
            yield url

    def test_expired_token_is_refused(self, stack: Stack, client_id: str, sidecar_url: str) -> None:
        """A token opens the API until the second it expires, though the sidecar has it cached."""
        token = sign_in(stack.pool, client_id=client_id).access_token
        url = f"{sidecar_url}/api/whoami"
        assert ask(url, token=token).body["sub"] == stack.pool.users[0].sub
        deadline = time.monotonic() + 15
        while (reply := ask(url, token=token)).status == 200:
            assert time.monotonic() < deadline, "still accepted long after it expired"
            time.sleep(0.2)  # noqa: TID251 - the token's own clock is what is waited for
        assert (reply.status, reply.body["reason"]) == (401, "token_expired")
        assert "token_expired" in reply.fields["WWW-Authenticate"]

    def test_token_of_a_foreign_client_is_refused(self, stack: Stack, sidecar_url: str) -> None:
        """A token of another app of the same pool is not for this API."""
        foreign = create_short_lived_client(stack.pool, access_token_s=60)
        token = sign_in(stack.pool, client_id=foreign).access_token
        reply = ask(f"{sidecar_url}/api/whoami", token=token)
        assert (reply.status, reply.body["reason"]) == (401, "client_mismatch")


def test_global_sign_out_ends_refresh_and_leaves_the_token_until_it_expires(stack: Stack) -> None:
    """After GlobalSignOut Cognito gives no new token; the old one holds until `exp`, as on AWS.

    A verifier of signatures cannot know of a sign-out. README says what to do about it.
    """
    user = stack.pool.users[1]
    tokens = sign_in(stack.pool, user)
    cognito = connect_anonymously(stack.pool.endpoint)
    cognito.global_sign_out(AccessToken=tokens.access_token)
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.initiate_auth(
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": tokens.refresh_token},
            ClientId=stack.pool.client_id,
        )
    assert stack.ask("/api/whoami", token=tokens.access_token).body["sub"] == user.sub
