"""Who may open the admin page, and who may not though a browser is made to ask."""

import pytest

from sidecar.ops.guard import is_loopback_host, is_own_host, is_same_origin


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8081", "[::1]:8081", "localhost:8081", "localhost", "10.1.2.3:8081", "sidecar:80"],
)
def test_address_or_local_name_is_ours(host: str) -> None:
    """Nobody can make one of these point somewhere else."""
    assert is_own_host(host, "")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8081", "127.0.0.1.nip.io", "", "user@localhost", "a/b", "[::1"],
)
def test_name_that_a_stranger_may_own_is_not_ours(host: str) -> None:
    """After DNS rebinding the page's own name is all that gives it away."""
    assert not is_own_host(host, "")


def test_name_of_the_settings_is_ours() -> None:
    """Whoever listens on a name is reached by it."""
    assert is_own_host("ops.example:8081", "ops.example")


@pytest.mark.parametrize("host", ["localhost:8081", "127.9.9.9", "[::1]:1"])
def test_loopback_is_told_by_name(host: str) -> None:
    """These names reach this machine, whoever resolves them."""
    assert is_loopback_host(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "sidecar", "localhost.evil.example", ""])
def test_other_host_is_not_loopback(host: str) -> None:
    """A name of the network is not this machine."""
    assert not is_loopback_host(host)


@pytest.mark.parametrize(
    "fields",
    [
        {"Host": "localhost:1"},
        {"Host": "localhost:1", "Origin": "http://localhost:1", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:1", "Sec-Fetch-Site": "none"},
    ],
)
def test_own_page_and_no_page_are_the_same_origin(fields: dict[str, str]) -> None:
    """A person's tab and a command line."""
    assert is_same_origin(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"Host": "localhost:1", "Origin": "https://evil.example"},
        {"Host": "localhost:1", "Origin": "http://localhost:2"},
        {"Host": "localhost:1", "Origin": "null"},
        {"Host": "localhost:1", "Sec-Fetch-Site": "cross-site"},
        {"Host": "localhost:1", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_page_is_another_origin(fields: dict[str, str]) -> None:
    """Another site, another port, a sandboxed frame."""
    assert not is_same_origin(fields)
