"""Tokens from a grammar: header, claims, encodings, signatures, keys; whole, bent and broken.

The same seed gives the same tokens, to the last byte: the keys come from it as well. Signing is
what costs, so that classes in which nothing signed changes take their tokens from a stock.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sidecar.identity import base64url
from tests.fuzz.token.primes import private_key
from tests.support import mint

NOW = mint.NOW
SECOND_KID = "second+/="
STOCK = 300
"""Signed tokens to be bent without signing anew."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

_TEXTS = (
    "",
    " ",
    "x",
    "access",
    "id",
    "refresh",
    mint.SUB,
    mint.ISSUER,
    mint.ISSUER + "/",
    mint.CLIENT_ID,
    "other",
    "é",
    "😀",
    "a\r\nb",
    "a\0b",
    "\u2028",
    "%41",
    "RS256",
    "HS256",
    "none",
    "JWT",
    "a" * 300,
    mint.KID,
    SECOND_KID,
    "../../x",
    "admin",
    "1",
    "null",
    " padded ",
    "\x85",
    "\x7f",
)
_NUMBERS = (
    0,
    1,
    -1,
    1.5,
    NOW,
    NOW - 1,
    NOW + 1,
    NOW + 60,
    NOW - 60,
    NOW + 3600,
    NOW + 11,
    NOW + 10,
    NOW + 9,
    NOW + 0.5,
    NOW - 0.5,
    NOW + 90_000,
    NOW * 1000,
    2**31,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    10**19,
    1e300,
    -1e300,
    1e-300,
    -0.0,
)
_CLAIMS = (
    "sub",
    "iss",
    "client_id",
    "aud",
    "token_use",
    "scope",
    "exp",
    "iat",
    "nbf",
    "jti",
    "username",
    "auth_time",
    "cognito:groups",
    "version",
    "custom:x",
)
_PARAMETERS = (
    "alg",
    "kid",
    "typ",
    "cty",
    "crit",
    "b64",
    "zip",
    "jku",
    "jwk",
    "x5u",
    "x5c",
    "x5t",
    "x5t#S256",
    "enc",
    "epk",
    "nonce",
    "future",
)
_RAW_VALUES = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-1e400",
    "9" * 20,
    "9" * 400,
    "-0",
    "1E2",
    "01",
    "+1",
    ".5",
    "1.",
    "0x1",
    "'x'",
    "True",
    "None",
    "undefined",
    r'"\ud800"',
    r'"\udc00\ud800"',
    r'"\ud83d\ude00"',
    r'"\u0000"',
    r'"\x41"',
    '"\t"',
    '"\x7f"',
    "[" * 9 + "]" * 9,
    "[" * 500 + "]" * 500,
    "[]",
    "{}",
    '{"a":1,"a":2}',
    '{"__proto__":{"sub":"x"}}',
    "[1,]",
    "/**/1",
    "1 1",
    '"',
    "[",
    "}",
    "tru",
)


class Grammar:
    """Makes tokens. A class because it holds the source of chance and what was signed with it.

    Args:
        seed: Of everything.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self.key = private_key(self._random)
        self.second_key = private_key(self._random)
        self._foreign_key = private_key(self._random)
        self.jwks = mint.jwks(
            mint.jwk(self.key), mint.jwk(self.second_key, SECOND_KID), mint.jwk(self.key, "third")
        )
        self._confusions = self._secrets()
        self._stock = [self._valid() for _ in range(STOCK)]
        self.stock = frozenset(self._stock)
        self._forgeries = [self._forged() for _ in range(40)]
        self._classes: dict[str, tuple[int, Callable[[], bytes]]] = {
            "valid": (8, self._valid),
            "claims": (12, self._claims),
            "times": (6, self._times),
            "payload": (8, self._payload),
            "header": (8, self._header),
            "header bytes": (4, self._header_bytes),
            "keys": (4, self._keys),
            "encoding": (14, self._encoding),
            "structure": (10, self._structure),
            "signature": (14, self._signature),
            "confusion": (4, self._confusion),
            "bytes": (8, self._bytes),
        }
        self.names = list(self._classes)
        self._weights = [weight for weight, _ in self._classes.values()]

    def make(self, count: int) -> list[tuple[str, bytes]]:
        """Make so many tokens, each with the name of its class."""
        names = self._random.choices(self.names, self._weights, k=count)
        return [(name, self._classes[name][1]()) for name in names]

    # --- signed anew ---------------------------------------------------------------------------

    def _valid(self) -> bytes:
        claims = self._good_claims()
        members = list(claims.items())
        self._random.shuffle(members)
        text = json.dumps(
            dict(members),
            indent=self._random.choice((None, None, 0, 1)),
            ensure_ascii=self._random.random() < 0.5,
        )
        kid, key = self._random.choice(((mint.KID, self.key), (SECOND_KID, self.second_key)))
        header: dict[str, object] = {"kid": kid, "alg": "RS256"}
        if self._random.random() < 0.2:
            header["typ"] = self._random.choice(("JWT", "at+jwt"))
        return self._sign(header, text.encode(), key)

    def _claims(self) -> bytes:
        claims = self._good_claims()
        for _ in range(self._random.choice((1, 1, 1, 2))):
            name = self._random.choice(_CLAIMS)
            if self._random.random() < 0.2:
                claims.pop(name, None)
            else:
                claims[name] = self._value()
        return self._sign(self._good_header(), json.dumps(claims).encode())

    def _times(self) -> bytes:
        claims = self._good_claims()
        for name in self._random.sample(("exp", "iat", "nbf"), self._random.choice((1, 1, 2))):
            offset = self._random.choice(
                (-86400, -3600, -60, -11, -10, -9, -1, -0.5, -0.001, 0, 0.001, 0.5, 1, 9, 9.5, 10,
                 10.001, 11, 60, 3600, 86400 - 1, 86400, 86400 + 60, 86400 + 61, 10**9)
            )  # fmt: skip
            claims[name] = NOW + offset
        return self._sign(self._good_header(), json.dumps(claims).encode())

    def _payload(self) -> bytes:
        document = json.dumps(self._good_claims()).encode()
        return self._sign(self._good_header(), self._bend_document(document, _CLAIMS))

    def _header(self) -> bytes:
        header = self._good_header()
        for _ in range(self._random.choice((1, 1, 2))):
            name = self._random.choice(_PARAMETERS)
            if self._random.random() < 0.2:
                header.pop(name, None)
            else:
                header[name] = self._value()
        return self._sign(header, json.dumps(self._good_claims()).encode())

    def _header_bytes(self) -> bytes:
        header = self._bend_document(json.dumps(self._good_header()).encode(), _PARAMETERS)
        return self._sign(header, json.dumps(self._good_claims()).encode())

    def _keys(self) -> bytes:
        kid = self._random.choice(
            (mint.KID, SECOND_KID, "third", "fourth", mint.KID + " ", "AB/C+D=")
        )
        key = self._random.choice((self.key, self.second_key, self._foreign_key))
        payload = json.dumps(self._good_claims()).encode()
        return self._sign({"kid": kid, "alg": "RS256"}, payload, key)

    # --- bent after signing --------------------------------------------------------------------

    def _encoding(self) -> bytes:
        parts = self._random.choice(self._stock).split(b".")
        index = self._random.randrange(3)
        part = parts[index]
        place = self._random.randrange(len(part) + 1)
        junk = self._random.choice(
            (b"=", b"==", b" ", b"\n", b"\r\n", b"\t", b"\0", b"!", b"+", b"/", b"\xa0", b"%3D")
        )
        last = _ALPHABET.index(part[-1:])
        parts[index] = self._random.choice(
            (
                lambda: part + b"=" * self._random.randint(1, 4),
                lambda: part + junk,
                lambda: junk + part,
                lambda: part[:place] + junk + part[place:],
                lambda: part.replace(b"-", b"+").replace(b"_", b"/"),
                lambda: part[:-1] + _ALPHABET[last ^ 1 : (last ^ 1) + 1],
                lambda: part[:-1] + _ALPHABET[last ^ 3 : (last ^ 3) + 1],
                lambda: part + self._random.choice((b"A", b"AA", b"AAAA")),
                lambda: base64url.encode(part),
                part.swapcase,
            )
        )()
        return b".".join(parts)

    def _structure(self) -> bytes:
        one, other = (self._random.choice(self._stock).split(b".") for _ in range(2))
        return self._random.choice(
            (
                lambda: b".".join(
                    self._random.choices([*one, *other, b""], k=self._random.randint(0, 6))
                ),
                lambda: b".".join([one[0], other[1], one[2]]),
                lambda: b".".join([one[0], one[1], other[2]]),
                lambda: b".".join([other[0], one[1], one[2]]),
                lambda: b".".join(one) + b"." + self._random.choice((b"", one[2], b"AA")),
                lambda: b"." + b".".join(one),
                lambda: b".".join([*one, *other[1:]]),
                lambda: b".".join(one[:2]),
                lambda: b".".join(one[:2]) + b".",
                lambda: b"..".join(one),
                lambda: b" " + b".".join(one),
                lambda: b".".join(one) + self._random.choice((b" ", b"\n", b"\0", b",")),
                lambda: b'"' + b".".join(one) + b'"',
                lambda: b"Bearer " + b".".join(one),
                lambda: b".".join(one) * 2,
            )
        )()

    def _signature(self) -> bytes:
        content, _, signature = self._random.choice(self._stock).rpartition(b".")
        raw = bytearray(base64url.decode(signature))
        place, bit = self._random.randrange(len(raw)), 1 << self._random.randrange(8)
        changed = bytearray(raw)
        changed[place] ^= bit
        size = self._random.randint(1, 512)
        return self._random.choice(
            (
                lambda: content + b"." + base64url.encode(bytes(changed)),
                lambda: content + b"." + base64url.encode(bytes(raw[:place])),
                lambda: content + b"." + base64url.encode(bytes(raw[place:])),
                lambda: content + b"." + base64url.encode(bytes(raw) + bytes(size)),
                lambda: content + b"." + base64url.encode(bytes(size) + bytes(raw)),
                lambda: content + b"." + base64url.encode(bytes(size)),
                lambda: content + b"." + base64url.encode(self._random.randbytes(256)),
                lambda: content + b"." + base64url.encode(bytes(reversed(raw))),
                lambda: self._random.choice(self._forgeries),
            )
        )()

    def _confusion(self) -> bytes:
        algorithm, digest = self._random.choice(
            (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512"), ("none", "sha256"))
        )
        header = {"alg": algorithm, "kid": self._random.choice((mint.KID, SECOND_KID, "fourth"))}
        payload = json.dumps(self._good_claims()).encode()
        content = base64url.encode(json.dumps(header).encode()) + b"." + base64url.encode(payload)
        secret = self._random.choice(self._confusions)
        signature = hmac.new(secret, content, digest).digest()
        return content + b"." + self._random.choice((b"", base64url.encode(signature)))

    def _bytes(self) -> bytes:
        token = bytearray(self._random.choice(self._stock))
        for _ in range(self._random.choice((1, 1, 1, 2, 4))):
            place = self._random.randrange(len(token))
            byte = self._random.choice(
                (self._random.randrange(256), self._random.choice(_ALPHABET))
            )
            action = self._random.randrange(3)
            if action == 0:
                token[place] = byte
            elif action == 1:
                token.insert(place, byte)
            else:
                del token[place]
        return bytes(token)

    # --- parts ---------------------------------------------------------------------------------

    def _good_header(self) -> dict[str, Any]:
        return {"kid": mint.KID, "alg": "RS256"}

    def _good_claims(self) -> dict[str, Any]:
        claims = mint.access_claims()
        claims["jti"] = f"{self._random.getrandbits(64):016x}"
        if self._random.random() < 0.3:
            claims["cognito:groups"] = ["admin", "ops"]
        if self._random.random() < 0.2:
            claims["username"] = self._random.choice(
                ("Google_110123456789012345678", "Jürgen", "a b", "%41", "LoginWithAmazon_amzn1.x")
            )
        if self._random.random() < 0.1:
            del claims["username"]
        return claims

    def _value(self) -> object:
        return self._random.choice(
            (
                lambda: self._random.choice(_TEXTS),
                lambda: self._random.choice(_NUMBERS),
                lambda: self._random.choice((None, True, False)),
                lambda: self._random.choice(
                    ([], [""], [mint.CLIENT_ID], [mint.ISSUER], [1], [["x"]])
                ),
                lambda: self._random.choice(({}, {"a": 1}, {mint.CLIENT_ID: 1})),
            )
        )()

    def _bend_document(self, document: bytes, names: tuple[str, ...]) -> bytes:
        inside = document[1:-1]
        name = json.dumps(self._random.choice(names)).encode()
        value = self._random.choice(_RAW_VALUES).encode()
        good = json.dumps(self._value()).encode()
        place = self._random.randrange(len(document))
        return self._random.choice(
            (
                lambda: b"{" + inside + b"," + name + b":" + value + b"}",
                lambda: b"{" + inside + b',"x":' + value + b"}",
                lambda: b"{" + name + b":" + value + b"," + inside + b"}",
                lambda: b"{" + inside + b"," + name + b":" + good + b"}",
                lambda: b"{" + name + b":" + good + b"," + inside + b"}",
                lambda: b"{" + inside + b',"x":{"a":1,"a":2}}',
                lambda: b"{" + inside + rb',"\u0073ub":"x"' + b"}",
                lambda: (
                    self._random.choice((b"\xef\xbb\xbf", b"\xff\xfe", b" ", b"\n", b"\0", b"["))
                    + document
                ),
                lambda: (
                    document
                    + self._random.choice((b" ", b"\r\n", b"\0", b"x", b"}", b",", b"{}", b"//"))
                ),
                lambda: document.decode().encode(
                    self._random.choice(("utf-16", "utf-16-le", "utf-32", "utf-7"))
                ),
                lambda: document[:place] + self._random.randbytes(1) + document[place:],
                lambda: document[:place] + document[place + 1 :],
                lambda: (
                    document[:place]
                    + self._random.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80"))
                    + document[place:]
                ),
                lambda: b"{" + inside + b',"x":' + b"[" * place + b"]" * place + b"}",
                lambda: self._random.choice(
                    (b"", b"[]", b"null", b'"x"', b"1", b"{}", b"[" + document + b"]")
                ),
            )
        )()

    def _sign(
        self,
        header: Mapping[str, object] | bytes,
        payload: bytes,
        key: rsa.RSAPrivateKey | None = None,
    ) -> bytes:
        raw = header if isinstance(header, bytes) else json.dumps(header).encode()
        content = base64url.encode(raw) + b"." + base64url.encode(payload)
        return content + b"." + base64url.encode(mint.sign(content, key or self.key))

    def _forged(self) -> bytes:
        """Sign otherwise than RS256 does: other digests, PSS, other PKCS#1 encodings."""
        content = self._random.choice(self._stock).rpartition(b".")[0]
        digest = hashlib.sha256(content).digest()
        info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        v15 = padding.PKCS1v15()
        raw = self._random.choice(
            (
                lambda: self.key.sign(content, v15, hashes.SHA512()),
                lambda: self.key.sign(content, v15, hashes.SHA1()),  # noqa: S303 - the attack
                lambda: self.key.sign(content, pss, hashes.SHA256()),
                lambda: self._raw_signature(
                    (b"\0\1" + b"\xff" * 8 + b"\0" + info).ljust(256, b"\0")
                ),
                lambda: self._raw_signature(b"\0\2" + b"\xff" * (253 - len(info)) + b"\0" + info),
                lambda: self._raw_signature(b"\0\1" + b"\xff" * 221 + b"\0" + digest),
                lambda: self._raw_signature(b"\0\1" + b"\x5a" * (253 - len(info)) + b"\0" + info),
            )
        )()
        return content + b"." + base64url.encode(raw)

    def _raw_signature(self, encoded: bytes) -> bytes:
        numbers = self.key.private_numbers()
        modulus = numbers.public_numbers.n
        return pow(int.from_bytes(encoded, "big"), numbers.d, modulus).to_bytes(256, "big")

    def _secrets(self) -> list[bytes]:
        public = self.key.public_key()
        pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
        spki, pkcs1 = (
            serialization.PublicFormat.SubjectPublicKeyInfo,
            serialization.PublicFormat.PKCS1,
        )
        modulus = mint.jwk(self.key)["n"].encode()
        return [
            public.public_bytes(pem, spki),
            public.public_bytes(pem, pkcs1),
            public.public_bytes(der, spki),
            modulus,
            base64url.decode(modulus),
            self.jwks,
            b"",
        ]
