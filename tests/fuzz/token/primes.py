"""RSA keys from a seed, so that a run can be repeated to the last byte. Not for use elsewhere."""

import random

from cryptography.hazmat.primitives.asymmetric import rsa

_EXPONENT = 65537
_SMALL = [n for n in range(3, 2000) if all(n % d for d in range(2, int(n**0.5) + 1))]


def private_key(chance: random.Random) -> rsa.RSAPrivateKey:
    """Make a key of 2048 bits."""
    p, q = _prime(chance), _prime(chance)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    ).private_key()


def _prime(chance: random.Random) -> int:
    while True:
        number = chance.getrandbits(1024) | 3 << 1022 | 1
        if number % _EXPONENT == 1 or any(number % small == 0 for small in _SMALL):
            continue
        # Fermat's test to three bases: a random number of this size that passes is prime.
        if all(pow(base, number - 1, number) == 1 for base in (2, 3, 5)):
            return number
