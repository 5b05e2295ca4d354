"""This file is the local Cognito: MiniStack, the pool of our template, two users.

From a test: `with local_cognito() as pool: ...`. By hand: `python -m deploy.local.cognito`.
"""

import argparse
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from deploy.local.emulator import running_emulator
from deploy.local.loopback import free_port
from deploy.local.pool import DEMO_USERS, DemoUser, LocalPool, create_pool
from deploy.local.sign_in import assert_tokens_are_signed

PORT = 4566  # MiniStack's usual one


@contextmanager
def local_cognito(
    port: int | None = None,
    state_dir: Path | None = None,
    users: tuple[DemoUser, ...] = DEMO_USERS,
) -> Iterator[LocalPool]:
    """A user pool on loopback until the block ends. Starts in about 2 s.

    Args:
        port: Where it listens; None takes a free one.
        state_dir: What survives until the next start; None starts empty and leaves nothing.
        users: Accounts it holds, confirmed and with their passwords.

    Raises:
        EmulatorError: MiniStack does not start, or does not sign what it issues.
        StackError: The template cannot be deployed.
    """
    with ExitStack() as stack:
        if state_dir is None:
            state_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cognito-")))
        state_dir.mkdir(parents=True, exist_ok=True)
        endpoint = stack.enter_context(running_emulator(port or free_port(), state_dir))
        pool = create_pool(endpoint, users)
        assert_tokens_are_signed(pool)
        yield pool


def main() -> None:
    """Run a local Cognito, alone, until Ctrl-C or SIGTERM."""
    options = argparse.ArgumentParser(prog="python -m deploy.local.cognito", description=__doc__)
    options.add_argument("--port", type=int, default=PORT)
    options.add_argument("--state-dir", type=Path, help="keep accounts here; default: forget them")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), local_cognito(chosen.port, chosen.state_dir) as pool:
        print(f"user pool {pool.user_pool_id}, client {pool.client_id}, keys {pool.jwks_url}")
        print(f"e-mails {pool.messages_url}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
