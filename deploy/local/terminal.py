"""This file is what the demo says to a person: coloured on a terminal, plain anywhere else."""

import os
import sys

from deploy.local.parts import Ports
from deploy.local.pool import DemoUser, LocalPool

# ANSI codes, readable on light and dark.
COLOURS = {"cognito": 33, "backend": 34, "sidecar": 35, "frontend": 36, "demo": 32, "e-mail": 32}
WIDTH = max(map(len, COLOURS))
FEED = "/api/activities/home"


def show(part: str, line: str) -> None:
    """Print one line of a part at once, behind its name."""
    print(f"{_coloured(part.ljust(WIDTH), COLOURS.get(part, 0))} | {line}", flush=True)


def show_code(address: str, code: str) -> None:
    """Print the code that Cognito would have e-mailed."""
    show("e-mail", f"to {address}: the code is {code}")


def show_summary(pool: LocalPool, ports: Ports, access_token: str) -> None:
    """Print where everything is, who can sign in, and two commands to paste."""
    print(_summary(pool, ports, access_token), flush=True)


def _summary(pool: LocalPool, ports: Ports, access_token: str) -> str:
    users = "\n".join(map(_user_line, pool.users))
    return f"""
The demo is running. Ctrl-C stops all of it.

  {"frontend":<10} {ports.frontend_url}
  {"sidecar":<10} {ports.sidecar_url}
  {"admin":<10} {ports.admin_url}
  {"backend":<10} {ports.backend_url}   (past the sidecar)
  {"cognito":<10} {pool.endpoint}   pool {pool.user_pool_id}
  {"e-mails":<10} {pool.messages_url}

Users, sign-in by e-mail:
{users}
Or sign up with any address: nothing is sent, the code appears here and under e-mails.

Anonymous:
  curl -i {ports.sidecar_url}{FEED}

Signed in as {pool.users[0].email}, for an hour (`make token` prints another token):
  curl -i -H 'Authorization: Bearer {access_token}' {ports.sidecar_url}{FEED}
"""


def _user_line(user: DemoUser) -> str:
    groups = f"group {', '.join(user.groups)}" if user.groups else "no group"
    return f"  {user.email:<20} {user.password:<18} {groups}"


def _coloured(text: str, colour: int) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:  # https://no-color.org
        return text
    return f"\033[{colour}m{text}\033[0m"
