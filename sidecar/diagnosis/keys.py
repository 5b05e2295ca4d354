"""The keys of a pool, once: from its key server or from a file. For diagnosis; it keeps nothing."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

import aiohttp

from sidecar.cognito.jwks import FETCH_TIMEOUT_S, MAX_DOCUMENT_BYTES
from sidecar.errors import KeysUnavailable
from sidecar.identity.keyset import KeySet, KeySetInvalid, parse_key_set


class KeysNotFound(Exception):
    """There is no usable key set; the message says what was found instead."""


@dataclass(frozen=True, slots=True)
class FetchedKeys:
    """A key set as its server gave it.

    Attributes:
        keys: The usable ones.
        server_time: Seconds since the epoch by the server's `Date`; None if it says nothing.
    """

    keys: KeySet
    server_time: float | None


class HeldKeys:
    """A key source that holds one key set, or none. A class because an authenticator asks one."""

    def __init__(self, keys: KeySet | None) -> None:
        self._keys = keys

    def current(self) -> KeySet:
        """Return the key set; raises KeysUnavailable if there is none."""
        if self._keys is None:
            raise KeysUnavailable("keys of the pool")
        return self._keys


async def fetch_keys(url: str) -> FetchedKeys:
    """Fetch a key set the way the running sidecar does.

    Raises:
        KeysNotFound: The server gives none, or no usable one.
    """
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.get(
                url, allow_redirects=False, headers={"Accept-Encoding": "identity"}
            ) as response,
        ):
            if response.status != HTTPStatus.OK:
                raise KeysNotFound(f"the key server answers {response.status}")
            document = await _read(response.content)
            server_time = _time_of(response.headers.get("Date", ""))
    except TimeoutError as error:
        raise KeysNotFound(f"no answer within {FETCH_TIMEOUT_S:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise KeysNotFound(f"{type(error).__name__}: {_cause(error)}") from error
    return FetchedKeys(_parse(document), server_time)


def read_keys(file: Path) -> KeySet:
    """Read a key set from a file.

    Raises:
        KeysNotFound: The file cannot be read, or holds no usable key set.
    """
    try:
        document = file.read_bytes()[: MAX_DOCUMENT_BYTES + 1]
    except OSError as error:
        raise KeysNotFound(f"cannot read {file}: {error.strerror}") from error
    return _parse(document)


async def _read(content: aiohttp.StreamReader) -> bytes:
    document = bytearray()
    async for chunk in content.iter_any():
        document += chunk
        if len(document) > MAX_DOCUMENT_BYTES:
            break
    return bytes(document)


def _parse(document: bytes) -> KeySet:
    if len(document) > MAX_DOCUMENT_BYTES:
        raise KeysNotFound(f"a document of more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        return parse_key_set(document)
    except KeySetInvalid as error:
        raise KeysNotFound(f"no key set: {error}") from error


def _time_of(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _cause(error: Exception) -> str:
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return getattr(error, "strerror", None) or str(error) or "no connection"
