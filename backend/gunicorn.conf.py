"""How gunicorn serves the backend. Read by gunicorn itself; a bad setting ends it with one line.

From the repository root, in one line:
python -m gunicorn -c backend/gunicorn.conf.py 'backend.app:create_app()'
"""

# ruff: noqa: N999 - gunicorn's own name for such a file; nothing imports it.

import sys
from typing import NoReturn

from backend.config import settings_from_environment
from backend.errors import SettingsInvalid, StoreUnavailable
from backend.store import ActivityStore


def refuse_to_start(why: str) -> NoReturn:
    """End the process with status 2 and one line. An exception would print a traceback."""
    sys.stderr.write(f"backend: {why}\n")
    raise SystemExit(2)


try:
    settings = settings_from_environment()
except SettingsInvalid as error:
    refuse_to_start(str(error))

bind = settings.bind
workers = settings.workers
worker_class = "gthread"
threads = settings.threads

# Seconds. The sidecar drops idle connections after 1.5 s: it must be first, or it would send a
# request into a connection that is just being closed.
keepalive = 2
# Seconds for running requests to finish after SIGTERM.
graceful_timeout = 5

# Bytes. An access token may have 8 KiB and arrives as `Authorization: Bearer ...`; gunicorn's own
# 8190 would turn the longest ones away.
limit_request_field_size = 16 * 1024
limit_request_line = 8190
# The sidecar lets 128 fields through and adds a few; gunicorn's own 100 would answer 400.
limit_request_fields = 160

# A name with `_` could pose as the identity header spelled with `-`. The sidecar drops such names;
# nothing here may bring them back, and no header may move the path or the scheme.
header_map = "drop"
forwarder_headers = ""
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}

# gunicorn 27 would keep a control socket in the home folder.
control_socket_disable = True

accesslog = "-"
# Path without the query, which may hold secrets; `a` escapes, so %0A in a path forges no line.
access_log_format = "%(t)s %(m)s %(U)a %(s)s %(B)sB %(M)sms"


def on_starting(_arbiter: object) -> None:
    """Prepare the database before any worker could fail on it, with a traceback."""
    try:
        ActivityStore(settings.database).prepare()
    except StoreUnavailable as error:
        refuse_to_start(f"BACKEND_DATABASE must be a file that can be written: {error.__cause__}")
