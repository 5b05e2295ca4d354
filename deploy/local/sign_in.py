"""This file signs users in as a browser does: SRP, no credentials, no admin call.

And it reads what a browser's user would read: the code in the e-mail.
"""

import re
from dataclasses import dataclass

from jose import jwk
from jose.utils import base64url_decode
from pycognito import AWSSRP

from deploy.local.aws import connect_anonymously
from deploy.local.emulator import EmulatorError
from deploy.local.loopback import fetch_json
from deploy.local.pool import DemoUser, LocalPool


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in gives."""

    access_token: str
    id_token: str
    refresh_token: str
    expires_in_s: int


def sign_in(pool: LocalPool, user: DemoUser | None = None, client_id: str = "") -> Tokens:
    """Tokens of `user` (default: the first) for `client_id` (default: the template's). About 0.2 s.

    Raises:
        botocore.exceptions.ClientError: Cognito refuses; `NotAuthorizedException` for a password.
    """
    user = user or pool.users[0]
    proof = AWSSRP(
        username=user.email,
        password=user.password,
        pool_id=pool.user_pool_id,
        client_id=client_id or pool.client_id,
        client=connect_anonymously(pool.endpoint),
    )
    result = proof.authenticate_user()["AuthenticationResult"]
    return Tokens(
        access_token=result["AccessToken"],
        id_token=result["IdToken"],
        refresh_token=result["RefreshToken"],
        expires_in_s=result["ExpiresIn"],
    )


def emailed_code(pool: LocalPool, email: str) -> str:
    """The code in the newest e-mail to `email`.

    Raises:
        LookupError: No e-mail to that address holds a code.
    """
    accounts = fetch_json(pool.messages_url)["messages"].values()
    for message in reversed([message for mailbox in accounts for message in mailbox]):
        code = re.search(r"\b\d{6}\b", message["BodyText"])
        if code and email in message["To"]:
            return code.group()
    raise LookupError(f"no code was e-mailed to {email}")


def assert_tokens_are_signed(pool: LocalPool) -> None:
    """Sign in once and hold the token against the published keys.

    MiniStack without the package `cryptography` signs with noise and says nothing; every test of
    the sidecar would then fail for a reason that is not the sidecar's.

    Raises:
        EmulatorError: The signature does not hold.
    """
    token = sign_in(pool).access_token
    signing_input, _, signature = token.rpartition(".")
    keys = fetch_json(pool.jwks_url)["keys"]
    proof = base64url_decode(signature.encode())
    if not any(jwk.construct(key).verify(signing_input.encode(), proof) for key in keys):
        raise EmulatorError("MiniStack signs with noise: is the package cryptography installed?")
