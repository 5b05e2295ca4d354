"""The command line: `python -m sidecar`. No logic of its own."""

import argparse
import io
import logging
import sys
from collections.abc import Sequence

import uvloop

from sidecar import __version__
from sidecar.config import Settings, environment_name, load, on_command_line
from sidecar.errors import ListenFailed, SettingsInvalid
from sidecar.server import serve

EXIT_SETTINGS = 2
EXIT_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sidecar until it is told to stop.

    Returns:
        The exit status: 0 after a stop, 1 if a port cannot be had, 2 if settings are wrong.
    """
    options = vars(_parser().parse_args(arguments))
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is said is seen, in a pipe too
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        uvloop.run(serve(load(given)))
    except SettingsInvalid as error:
        for problem in error.problems:
            print(f"sidecar: {problem}", file=sys.stderr)  # noqa: T201 - for whoever starts it
        return EXIT_SETTINGS
    except ListenFailed as error:
        print(f"sidecar: {error}", file=sys.stderr)  # noqa: T201 - as above
        return EXIT_FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sidecar",
        description="Verify Amazon Cognito tokens in front of a backend.",
        epilog="Each option is also an environment variable, named in its description.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    for name in on_command_line():
        field = Settings.model_fields[name]
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            metavar="VALUE",
            help=f"{field.description} [{environment_name(name)}]",
        )
    return parser
