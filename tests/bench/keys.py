"""The pool's public key, in every spelling that a verifier wants. Made anew for each run."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.support import mint


@dataclass(frozen=True)
class Keys:
    """Files with the public key.

    Attributes:
        jwks: JWKS document, as Cognito publishes it.
        public_key: PEM.
        certificate: PEM, self-signed.
    """

    jwks: Path
    public_key: Path
    certificate: Path


def write_keys(folder: Path) -> Keys:
    """Write the files."""
    keys = Keys(folder / "jwks.json", folder / "public.pem", folder / "certificate.pem")
    public = mint.private_key().public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    keys.jwks.write_bytes(mint.jwks())
    keys.public_key.write_bytes(public.public_bytes(serialization.Encoding.PEM, spki))
    keys.certificate.write_bytes(_certificate().public_bytes(serialization.Encoding.PEM))
    return keys


def _certificate() -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pool")])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(mint.private_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(mint.private_key(), hashes.SHA256())
    )
