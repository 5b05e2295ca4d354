"""How log lines look: JSON for machines, text for people. Everything the sidecar says goes here."""

import json
import logging
import time
from typing import TextIO

TEXT_TIME = "%H:%M:%S"


class JsonFormatter(logging.Formatter):
    """Makes one JSON object of a log record, like the lines of the access log.

    A class because `logging` asks for one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write time, level and message; a traceback as one more member."""
        date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{date}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def is_json(log_format: str, stream: TextIO) -> bool:
    """Tell whether lines are JSON; `auto` writes text where a person reads along."""
    return log_format == "json" or (log_format == "auto" and not stream.isatty())


def set_up(log_format: str, stream: TextIO) -> None:
    """Send what the program says to `stream`, in the chosen format.

    Args:
        log_format: `json`, `text` or `auto`.
        stream: Usually the standard output.
    """
    handler = logging.StreamHandler(stream)
    if is_json(log_format, stream):
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", TEXT_TIME))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
