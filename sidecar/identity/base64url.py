"""Base64url in its one canonical spelling (RFC 7515 §2, RFC 4648 §3.5).

A value that can be spelt twice is a cache flood and a way round any deny-list: python-jose accepts
unlimited respellings of one token.
"""

import binascii

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_FROM_STANDARD = bytes.maketrans(b"+/", b"-_")


def decode(text: bytes) -> bytes:
    """Decode unpadded base64url; `encode` gives back exactly `text`.

    Raises:
        ValueError: `text` is not the canonical spelling of any bytes: padding, characters outside
            the alphabet, bits left over at the end.
    """
    padded = text.translate(_TO_STANDARD) + b"=" * (-len(text) % 4)
    raw = binascii.a2b_base64(padded)
    # One law instead of a list of tricks: what does not re-encode to itself is refused.
    if encode(raw) != text:
        msg = "not canonical base64url"
        raise ValueError(msg)
    return raw


def encode(raw: bytes) -> bytes:
    """Encode as unpadded base64url."""
    return binascii.b2a_base64(raw, newline=False).rstrip(b"=").translate(_FROM_STANDARD)
