"""One JSON line per request: what was asked, what was decided, how long it took.

Never a token or a piece of one, a cookie or a query value.
"""

import json
import logging

from sidecar.model import Anonymous, RequestRecord

_log = logging.getLogger("sidecar.access")


def log_request(record: RequestRecord) -> None:
    """Write the line of a request that is over."""
    if not _log.isEnabledFor(logging.INFO):
        return
    caller = record.caller
    is_anonymous = isinstance(caller, Anonymous)
    _log.info(
        json.dumps(
            {
                "method": record.method,
                "path": record.path,
                "status": record.status,
                "auth": "anonymous" if is_anonymous else "authenticated",
                "reason": record.reason or (caller.reason if isinstance(caller, Anonymous) else ""),
                "ms": round(record.duration_s * 1000, 3),
                "request_id": record.request_id,
            }
        )
    )
