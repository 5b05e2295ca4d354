"""The command line: `run`, `check`, `explain`. No logic of its own.

Exit statuses: 0 all is well, 1 something is not, 2 the settings or the arguments are wrong.
"""

import argparse
import asyncio
import io
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from sidecar import __version__, collector
from sidecar.config import Settings, environment_name, load
from sidecar.cores import worker_count
from sidecar.diagnosis.check import check
from sidecar.diagnosis.keys import KeysNotFound
from sidecar.diagnosis.question import Question, answer
from sidecar.diagnosis.report import (
    Finding,
    Level,
    answer_data,
    answer_text,
    findings_json,
    findings_text,
)
from sidecar.errors import ListenFailed, SettingsInvalid, WorkerFailed
from sidecar.ops import logs
from sidecar.server import serve
from sidecar.setting_texts import GROUPS, default_text

EXIT_FAILED = 1
EXIT_SETTINGS = 2

_STATUSES = "exit status: 0 all is well, 1 something is not, 2 settings or arguments are wrong"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; `run` if it names no command.

    Returns:
        The exit status.
    """
    options = _parse(list(sys.argv[1:] if arguments is None else arguments))
    given = {name: str(options[name]) for name in Settings.model_fields if name in options}
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is said is seen, in a pipe too
    command = options["command"]
    assert callable(command)  # noqa: S101 - set by _parse
    try:
        status: int = command(options, given)
    except SettingsInvalid as error:
        _complain(*error.problems)
        return EXIT_SETTINGS
    except KeysNotFound as error:
        _complain(f"--jwks: {error}")
        return EXIT_SETTINGS
    return status


Options = Mapping[str, object]


class _Parser(argparse.ArgumentParser):
    """A parser that takes no abbreviations: `--jwks` must not be `--jwks-url` one day."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - argparse's own options
        super().__init__(allow_abbrev=False, **options)


def _run(_options: Options, given: Mapping[str, str]) -> int:
    settings = load(given)
    logs.set_up(settings.log_format, sys.stdout)
    count = worker_count(settings.workers)
    try:
        if count == 1:
            collector.relieve()
            uvloop.run(serve(settings, partial(load, given)))
        else:
            _supervise(settings, count, partial(load, given))
    except (ListenFailed, WorkerFailed) as error:
        _complain(str(error))
        return EXIT_FAILED
    return 0


def _supervise(settings: Settings, count: int, load_again: Callable[[], Settings]) -> None:
    from sidecar.workers.supervisor import supervise  # noqa: PLC0415 - one process needs none of it

    supervise(settings, count, load_again)


def _check(options: Options, given: Mapping[str, str]) -> int:
    try:
        findings = asyncio.run(check(load(given), time.time))
        status = EXIT_FAILED if any(f.level is Level.FAIL for f in findings) else 0
    except SettingsInvalid as error:
        findings = [Finding(Level.FAIL, "settings", problem) for problem in error.problems]
        status = EXIT_SETTINGS
    sys.stdout.write(findings_json(findings) if options["json"] else findings_text(findings))
    return status


def _explain(options: Options, given: Mapping[str, str]) -> int:
    jwks = options["jwks"]
    token, path = options["token"], options["path"]
    if token is None and path is None:
        _complain("explain: give a token, - to read one, or --path for a request without one")
        return EXIT_SETTINGS
    question = Question(
        token=None if token is None else _token(str(token)),
        path=None if path is None else str(path),
        method=str(options["method"]),
        jwks=jwks if isinstance(jwks, Path) else None,
    )
    found = asyncio.run(answer(question, load(given), time.time()))
    is_json = bool(options["json"])
    text = json.dumps(answer_data(found), indent=2) + "\n" if is_json else answer_text(found)
    sys.stdout.write(text)
    return 0 if found.is_good else EXIT_FAILED


def _token(argument: str) -> str:
    is_read = argument == "-"  # where no process list shows it
    return sys.stdin.read() if is_read else argument


def _complain(*problems: str) -> None:
    for problem in problems:
        print(f"sidecar: {problem}", file=sys.stderr)  # noqa: T201 - for whoever starts it


def _parse(arguments: Sequence[str]) -> Options:
    settings = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    for title, names in GROUPS.items():
        group = settings.add_argument_group(f"settings: {title}")
        for name in names:
            _add_setting(group, name)
    parser = _Parser(
        prog="sidecar",
        description="Verify Amazon Cognito tokens in front of a backend.",
        epilog="Each setting is also an environment variable, and all of them may stand in a "
        f"file; see README. {_STATUSES}",
        parents=[settings],
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(command=_run)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    commands.add_parser("run", help="run until SIGTERM; what no command means", parents=[settings])
    _add_check(commands.add_parser("check", help=_CHECK, description=_CHECK, parents=[settings]))
    _add_explain(
        commands.add_parser("explain", help=_EXPLAIN, description=_EXPLAIN, parents=[settings])
    )
    return vars(parser.parse_args(arguments))


_CHECK = "look at settings, keys, clock, backend and rules: each ok or why not"
_EXPLAIN = "show every check of a token, or what a request would get"


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(command=_check)


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "token", nargs="?", metavar="TOKEN", help="- reads it from standard input, unseen by ps"
    )
    parser.add_argument("--jwks", type=Path, metavar="FILE", help="keys from a file, offline")
    parser.add_argument("--path", help="also say which rule decides about a request")
    parser.add_argument("--method", default="GET", help="of that request [GET]")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(command=_explain)


def _add_setting(group: argparse._ArgumentGroup, name: str) -> None:
    description = Settings.model_fields[name].description
    group.add_argument(
        f"--{name.replace('_', '-')}",
        dest=name,
        metavar="VALUE",
        help=f"{description} [{environment_name(name)}; default: {default_text(name)}]",
    )
