import socket

import pytest

from deploy.local.loopback import fetch_json, free_port, is_healthy, is_taken


def test_a_listening_port_is_taken_and_a_free_one_is_not() -> None:
    """What the demo asks before it starts anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_taken(port)
    assert not is_taken(port)


def test_a_port_of_all_interfaces_is_taken_on_loopback() -> None:
    """A server on 0.0.0.0 answers on 127.0.0.1 as well."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - the case in question
        assert is_taken(server.getsockname()[1])


def test_an_address_this_machine_lacks_is_not_taken() -> None:
    """A machine without IPv6 can still start the frontend."""
    assert not is_taken(free_port(), "2001:db8::1")


def test_silence_is_not_health() -> None:
    """Nobody listens: not healthy, and no error."""
    assert not is_healthy(f"http://127.0.0.1:{free_port()}/")


def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback traffic does not go to a company's proxy."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ConnectionRefusedError):
        fetch_json(f"http://127.0.0.1:{free_port()}/")
