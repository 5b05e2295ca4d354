"""Was an access token revoked since it was signed? Only Cognito knows, so this asks GetUser.

Off unless a setting turns it on: it trades requests to Cognito for knowing of a sign-out early.
"""

import asyncio
import hashlib
import json
from http import HTTPStatus

import aiohttp
from cachetools import TTLCache

from sidecar.errors import RevocationUnknown, TokenRevoked
from sidecar.model import BearerToken, Identity

TIMEOUT_S = 3.0
"""For one question in all. Requests of that token wait so long at most."""

MAX_REMEMBERED = 10_000
"""As many as the cache of verified tokens."""

MAX_ANSWER_BYTES = 64 * 1024
"""GetUser lists a user's attributes: at most 50 of 2 KiB in theory, two or three in practice."""

# GetUser answers only tokens with this scope, which Cognito puts into every token of a user who
# signed in through its API, and into none of a machine's.
REQUIRED_SCOPE = "aws.cognito.signin.user.admin"

# What GetUser says of a token that no longer counts, or whose user does not.
_REVOKED = frozenset(
    {
        "NotAuthorizedException",
        "PasswordResetRequiredException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    }
)


class RevocationCheck:
    """Asks Cognito about tokens, and remembers the answer for a while.

    A class because answers have a lifetime and questions about one token are asked once.

    Args:
        endpoints: By pool id, where Cognito's API is.
        session: For the questions; closed by its owner.
        max_age_s: How long a token counts as not revoked after Cognito said so.
    """

    def __init__(
        self, endpoints: dict[str, str], session: aiohttp.ClientSession, max_age_s: float
    ) -> None:
        self._endpoints = endpoints
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._good: TTLCache[bytes, bool] = TTLCache(MAX_REMEMBERED, max_age_s, self._loop.time)
        self._asking: dict[bytes, asyncio.Task[None]] = {}

    async def confirm(self, token: BearerToken, identity: Identity) -> None:
        """Make sure that a verified token was not revoked, or not longer ago than `max_age_s`.

        Tokens that GetUser cannot tell about pass: id tokens, and access tokens without the scope
        `REQUIRED_SCOPE` (those of machines).

        Raises:
            TokenRevoked: It was revoked, or its user signed out, is gone or must not sign in.
            RevocationUnknown: Cognito gives no answer.
        """
        # Id tokens have no scope at all.
        if REQUIRED_SCOPE not in identity.scopes:
            return
        digest = hashlib.sha256(token).digest()
        if digest in self._good:
            return
        asking = self._asking.get(digest)
        if asking is None:
            asking = self._loop.create_task(self._ask(digest, token, identity.pool_id))
            self._asking[digest] = asking
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        await asyncio.shield(asking)

    async def _ask(self, digest: bytes, token: BearerToken, pool_id: str) -> None:
        status, answer = await self._get_user(self._endpoints[pool_id], token)
        if status == HTTPStatus.OK:
            self._good[digest] = True
            return
        if status == HTTPStatus.BAD_REQUEST and _error_type(answer) in _REVOKED:
            raise TokenRevoked("a token that was not revoked")
        raise RevocationUnknown("an answer of Cognito")

    async def _get_user(self, endpoint: str, token: BearerToken) -> tuple[int, bytes]:
        try:
            async with self._session.post(
                endpoint,
                data=json.dumps({"AccessToken": token.decode("ascii")}),
                headers={
                    "Content-Type": "application/x-amz-json-1.1",
                    "X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser",
                },
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            ) as response:
                return response.status, await response.content.read(MAX_ANSWER_BYTES)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise RevocationUnknown("an answer of Cognito") from error


def _error_type(answer: bytes) -> str:
    """Read the kind of an AWS JSON 1.1 error, which may carry a namespace before `#`."""
    try:
        kind = json.loads(answer).get("__type", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return kind.rpartition("#")[2] if isinstance(kind, str) else ""
