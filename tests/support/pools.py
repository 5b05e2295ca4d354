"""Pools whose keys a test holds in its hand, and authenticators for them."""

from collections.abc import Mapping

from sidecar.errors import KeysUnavailable
from sidecar.identity.authenticator import Authenticator, Pool
from sidecar.identity.claims import ClaimRules
from sidecar.identity.keyset import KeySet, parse_key_set
from tests.support import mint

HEADERS = {"X-Cognito-Sub": "sub", "X-Cognito-Username": "username"}
RULES = ClaimRules(
    issuers=frozenset({mint.ISSUER}),
    clients=frozenset({mint.CLIENT_ID}),
    token_uses=frozenset({"access"}),
)


class HeldKeys:
    """A key source that says what the test tells it; None stands for an outage."""

    def __init__(self, *entries: Mapping[str, object]) -> None:
        self.keys: KeySet | None = None
        self.publish(*entries)

    def publish(self, *entries: Mapping[str, object]) -> None:
        """Replace the key set, as a refresh does; by the test pool's own if none is given."""
        self.keys = parse_key_set(mint.jwks(*entries))

    def current(self) -> KeySet:
        """Return the key set."""
        if self.keys is None:
            raise KeysUnavailable("keys")
        return self.keys


def pool(keys: HeldKeys | None = None, rules: ClaimRules = RULES) -> Pool:
    """Make the test pool."""
    return Pool(mint.POOL_ID, rules, keys or HeldKeys())


def authenticator(*pools: Pool, headers: Mapping[str, str] | None = None) -> Authenticator:
    """Make an authenticator; of the test pool alone if none is given."""
    return Authenticator(pools or [pool()], HEADERS if headers is None else headers)
