"""This file is `make token`: one token of a demo user on standard output, and nothing else."""

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy.local.pool import DemoUser, LocalPool
from deploy.local.record import STATE_DIR, DemoNotRunning, recorded_pool
from deploy.local.sign_in import sign_in


def main() -> int:
    """Print an access token, or with --id an ID token. 1 and one line when there is none."""
    chosen = _options()
    try:
        pool = recorded_pool(chosen.state_dir)
        tokens = sign_in(pool, _user_named(chosen.user, pool))
    except (DemoNotRunning, LookupError, BotoCoreError, ClientError) as error:
        print(f"token: {error}", file=sys.stderr)
        return 1
    print(tokens.id_token if chosen.id else tokens.access_token)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.token", description=main.__doc__)
    parser.add_argument("--user", default="", metavar="EMAIL", help="default: the first demo user")
    parser.add_argument("--id", action="store_true", help="the ID token instead")
    parser.add_argument("--state-dir", type=Path, default=STATE_DIR, help="as given to the demo")
    return parser.parse_args()


def _user_named(email: str, pool: LocalPool) -> DemoUser:
    for user in pool.users:
        if email in ("", user.email, user.preferred_username):
            return user
    known = ", ".join(user.email for user in pool.users)
    raise LookupError(f"no demo user of that name; there are {known}")


if __name__ == "__main__":
    sys.exit(main())
