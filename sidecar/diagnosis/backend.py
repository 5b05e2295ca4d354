"""The backend as it really is: does it answer, who else can reach it, how long may a request be?"""

import asyncio
import contextlib
import os
import re
import socket
from ipaddress import ip_address

from sidecar.diagnosis.report import Finding, Level
from sidecar.model import Address
from sidecar.policy.target import MAX_TARGET_BYTES
from sidecar.setting_values import is_loopback

TIMEOUT_S = 3.0
"""For one look at the backend."""

# Of the longest target that the sidecar forwards, and of one long cookie.
_PROBES = {
    "a request target": (MAX_TARGET_BYTES - 64, 0, "gunicorn: --limit-request-line 8190"),
    "a header field": (0, 12 * 1024, "gunicorn: --limit-request-field_size 16380"),
}
_TOO_LONG = frozenset({400, 413, 414, 431})
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


async def check_backend(address: Address, max_fields_bytes: int) -> list[Finding]:
    """Look at the backend: reachable, private, and with limits that fit the sidecar's."""
    try:
        status = await _ask(address, 0, 0)
    except (OSError, TimeoutError) as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else _reason(error)
        remedy = "start the backend, or set SIDECAR_UPSTREAM to where it listens"
        return [Finding(Level.FAIL, "backend", f"{address}: {why}", remedy)]
    if status is None:
        remedy = "set SIDECAR_UPSTREAM to an HTTP/1.1 server, without TLS"
        return [Finding(Level.FAIL, "backend", f"{address} does not speak HTTP", remedy)]
    return [
        Finding(Level.OK, "backend", f"{address} answers"),
        await _check_exposure(address),
        *await _check_limits(address, status, max_fields_bytes),
    ]


async def _check_exposure(address: Address) -> Finding:
    subject = "backend is private"
    remedy = "bind it to 127.0.0.1 or a Unix socket: whoever reaches it can be anybody"
    if address.path:
        return Finding(Level.OK, subject, "a Unix socket")
    if is_loopback(address.host):
        for own in _own_addresses():
            if await _listens(Address(own, address.port)):
                return Finding(Level.WARN, subject, f"it listens on {own} as well", remedy)
        return Finding(Level.OK, subject, "loopback only")
    if _is_name(address.host) and "." not in address.host:
        found = f"{address.host} is a name of this network; it must not be published"
        return Finding(Level.OK, subject, found)
    return Finding(Level.WARN, subject, f"{address.host} may be reached by others", remedy)


async def _check_limits(address: Address, usual: int, max_fields_bytes: int) -> list[Finding]:
    findings = []
    for subject, (target_bytes, longest, remedy) in _PROBES.items():
        field_bytes = min(longest, max_fields_bytes)
        with contextlib.suppress(OSError, TimeoutError):
            status = await _ask(address, target_bytes, field_bytes)
            if status in _TOO_LONG and status != usual:
                size = target_bytes or field_bytes
                found = f"the backend refuses {subject} of {size} bytes with {status}"
                findings.append(Finding(Level.WARN, "limits", found, remedy))
    return findings or [Finding(Level.OK, "limits", "the backend takes what the sidecar takes")]


async def _ask(address: Address, target_bytes: int, field_bytes: int) -> int | None:
    """Send one HEAD request; return the status, or None if the answer is not HTTP."""
    async with asyncio.timeout(TIMEOUT_S):
        reader, writer = await _connect(address)
        try:
            target = "/" + ("?" + "x" * target_bytes if target_bytes else "")
            field = f"X-Probe: {'x' * field_bytes}\r\n" if field_bytes else ""
            request = (
                f"HEAD {target} HTTP/1.1\r\nHost: localhost\r\n{field}Connection: close\r\n\r\n"
            )
            writer.write(request.encode())
            match = _STATUS.match(await reader.read(64))
        finally:
            writer.transport.abort()
    return int(match[1]) if match is not None else None


async def _connect(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.path:
        return await asyncio.open_unix_connection(address.path)
    return await asyncio.open_connection(address.host, address.port)


async def _listens(address: Address) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await _connect(address)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


def _own_addresses() -> list[str]:
    """Return this machine's addresses on other networks than loopback."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    addresses = {str(where[0]) for _, _, _, _, where in found}
    return sorted(address for address in addresses if not is_loopback(address))


def _is_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else "not reachable"
