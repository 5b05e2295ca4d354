"""The table of README's security section: named tokens by verifiers, by asking each of them.

`python -m tests.fuzz.token.table` prints it as Markdown.
"""

import sys
from contextlib import ExitStack
from importlib.metadata import version
from json import loads

from sidecar.errors import TokenError
from sidecar.identity.credentials import bearer_token
from tests.fuzz.token.cases import NOW, named_cases
from tests.fuzz.token.oracles import FOLDER, Oracle
from tests.support import mint
from tests.support.pools import HeldKeys, authenticator, pool

ORACLES = ("python-jose", "PyJWT", "joserfc", "aws-jwt-verify")
_WORDS = {"A": "**accepts**", "R": "refuses", "C": "**crashes**"}
_KEYS = (mint.jwk(), mint.jwk(mint.private_key("second"), "second"))


def rows() -> list[tuple[str, ...]]:
    """Ask everyone: name of the case, a word for each oracle, and what we say."""
    cases = list(named_cases())
    tokens = [token for _, token in cases]
    with ExitStack() as running:
        verdicts = []
        for name in ORACLES:
            oracle = running.enter_context(Oracle(name, mint.jwks(*_KEYS), NOW))
            oracle.submit(tokens)
            verdicts.append([_WORDS[letter] for letter in oracle.verdicts()])
    names = [name for name, _ in cases]
    return list(zip(names, *verdicts, map(_ours, tokens), strict=True))


def table() -> list[str]:
    """Write it as Markdown, one line each."""
    heads = ("token", *(f"{name} {_version(name)}" for name in ORACLES), "this sidecar")
    lines = [_row(heads), _row(("---",) * len(heads))]
    return lines + [_row(row) for row in rows()]


def _ours(token: bytes) -> str:
    try:
        found = bearer_token([b"Bearer " + token])
        assert found is not None
        authenticator(pool(HeldKeys(*_KEYS))).authenticate(found, NOW)
    except TokenError as error:
        return f"`{error.reason}`"
    return "**accepts**"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _version(name: str) -> str:
    if name != "aws-jwt-verify":
        return version(name)
    lock = loads((FOLDER / "package-lock.json").read_text())
    return str(lock["packages"][f"node_modules/{name}"]["version"])


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
