"""Other people's verifiers, each in a process of its own, asked in batches over pipes."""

import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support import mint

FOLDER = Path(__file__).parent / "oracles"
COMMANDS = {
    "joserfc": (sys.executable, "-m", "tests.fuzz.token.python_oracle", "joserfc"),
    "PyJWT": (sys.executable, "-m", "tests.fuzz.token.python_oracle", "PyJWT"),
    "aws-jwt-verify": ("node", str(FOLDER / "judge.mjs"), "aws-jwt-verify"),
    "jose": ("node", str(FOLDER / "judge.mjs"), "jose"),
    "python-jose": (sys.executable, "-m", "tests.fuzz.token.python_oracle", "python-jose"),
}
NAMES = ("joserfc", "PyJWT", "aws-jwt-verify", "jose")
"""Those whose refusal counts. python-jose is only shown beside them."""


class Oracle:
    """One verifier. A class because it is a process with a lifetime.

    Args:
        name: As in `COMMANDS`.
        jwks: The key set that it is given.
        now: The time that it believes in, seconds since the epoch.
    """

    def __init__(self, name: str, jwks: bytes, now: float) -> None:
        self.name = name
        settings = {
            "jwks": json.loads(jwks),
            "now": now,
            "pool_id": mint.POOL_ID,
            "client_id": mint.CLIENT_ID,
            "issuer": mint.ISSUER,
        }
        self._process = subprocess.Popen(
            COMMANDS[name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1 << 20,
        )
        self._write(json.dumps(settings))

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.communicate()

    def submit(self, tokens: Sequence[bytes]) -> None:
        """Hand in a batch; `verdicts` must be called before the next."""
        self._write(",".join(base64.b64encode(token).decode() for token in tokens))

    def verdicts(self) -> str:
        """Return a letter for each token of the batch: Accepted, Refused, Crashed."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self.name} has ended; is it installed?"
        return line.rstrip("\n")

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
