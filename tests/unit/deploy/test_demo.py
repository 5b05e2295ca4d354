import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import demo
from deploy.local.loopback import free_port, is_taken
from deploy.local.parts import Ports
from deploy.local.supervisor import PartError


@pytest.fixture
def ports() -> Ports:
    return Ports(*(free_port() for _ in range(5)))


@pytest.fixture
def taken(ports: Ports) -> Iterator[Ports]:
    """Someone else has the ports of the backend and of the sidecar, and the frontend's on ::1."""
    with (
        socket.create_server(("127.0.0.1", ports.backend)),
        socket.create_server(("127.0.0.1", ports.sidecar)),
    ):
        yield ports


def run(monkeypatch: pytest.MonkeyPatch, ports: Ports, state_dir: Path) -> int:
    monkeypatch.setattr("sys.argv", ["demo", "--state-dir", str(state_dir)])
    monkeypatch.setattr(Ports, "shifted", lambda _self, _offset: ports)
    return demo.main()


def test_taken_ports_are_all_named_and_nothing_starts(
    taken: Ports,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line with every taken port and what it was for; nothing was created or started."""
    assert run(monkeypatch, taken, tmp_path / "state") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "demo: nothing was started: in use already: "
        f"port {taken.backend} (backend), port {taken.sidecar} (sidecar)\n"
    )
    assert not (tmp_path / "state").exists()
    assert not is_taken(taken.cognito)


def test_the_error_of_a_part_is_one_line(
    ports: Ports,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A part that died is named on standard error, without a traceback; the status is not 0."""

    async def fail(*_arguments: object) -> None:
        raise ExceptionGroup("of the task group", [PartError("sidecar ended with status 2")])

    monkeypatch.setattr(demo, "run_demo", fail)
    assert run(monkeypatch, ports, tmp_path) == 1
    assert capsys.readouterr().err == "demo: sidecar ended with status 2\n"


def test_ctrl_c_is_success(ports: Ports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ending the demo is how it is meant to end."""

    async def cancelled(*_arguments: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(demo, "run_demo", cancelled)
    assert run(monkeypatch, ports, tmp_path) == 0


@pytest.mark.parametrize("offset", ["-1", "57001", "many"])
def test_an_impossible_offset_is_refused(offset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No port below the usual ones, none above the highest there is."""
    monkeypatch.setattr("sys.argv", ["demo", f"--port-offset={offset}"])
    with pytest.raises(SystemExit) as refusal:
        demo.main()
    assert refusal.value.code == 2
