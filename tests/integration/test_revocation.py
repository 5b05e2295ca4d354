"""Signed-out users are found out when the settings ask for it, against the real local Cognito."""

from collections.abc import Iterator

import pytest

from deploy.local.aws import connect_anonymously
from deploy.local.sign_in import sign_in
from sidecar.model import BearerToken
from tests.conftest import StartSidecar
from tests.support.raw_client import ask as ask_raw
from tests.support.recording_backend import RecordingBackend
from tests.support.stack import Stack, ask


@pytest.fixture(scope="module")
def sidecar_url(stack: Stack) -> Iterator[str]:
    """Run a sidecar that asks Cognito at every tenth of a second."""
    with stack.asking_cognito() as url:
        yield url


def test_signed_out_user_is_nobody_at_once(stack: Stack, sidecar_url: str) -> None:
    """After GlobalSignOut the backend is told nobody, though the token has not expired."""
    user = stack.pool.users[1]
    token = sign_in(stack.pool, user).access_token
    url = f"{sidecar_url}/api/whoami"
    assert ask(url, token=token).body["sub"] == user.sub
    connect_anonymously(stack.pool.endpoint).global_sign_out(AccessToken=token)
    reply = ask(url, token=token)
    assert reply.body == {"sub": None, "username": None}
    assert reply.fields["X-Cognito-Auth"] == "anonymous; reason=token_revoked"


async def test_unreachable_cognito_refuses_instead_of_guessing(
    start_sidecar: StartSidecar, backend: RecordingBackend, token: BearerToken
) -> None:
    """Without an answer the request gets 503 and the backend gets nothing."""
    sidecar = await start_sidecar(revocation_check_s="60", cognito_endpoint="http://127.0.0.1:9/")
    answer = await ask_raw(
        sidecar.address,
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + b"\r\n\r\n",
    )
    assert answer.status == 503
    assert b"revocation_unknown" in answer.body
    assert backend.requests == []
