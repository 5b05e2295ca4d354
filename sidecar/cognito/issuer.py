"""Pool id → its issuers and the address of its keys. Pure."""

import re

_POOL_ID = re.compile(r"(?P<region>[a-z]{2,4}(?:-[a-z]+){1,2}-[0-9]{1,2})_[0-9A-Za-z]{1,55}")

# Region prefix → DNS suffix of its AWS partition; everything else is `amazonaws.com`, GovCloud
# included. Source: AWS partitions as published with botocore (`partitions.json`).
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
}


def region_of(pool_id: str) -> str:
    """Read the region from a pool id such as `eu-west-1_AbCdEfGhI`.

    Raises:
        ValueError: It is no pool id. Nothing else may become part of a URL: no `/`, `..` or `@`.
    """
    match = _POOL_ID.fullmatch(pool_id)
    if match is None:
        msg = "expected a user pool id such as eu-west-1_AbCdEfGhI"
        raise ValueError(msg)
    return match["region"]


def issuers(pool_id: str) -> frozenset[str]:
    """Return the `iss` values of a pool: the original form and the one of updated pools.

    Source: Amazon Cognito developer guide, "Understanding user pool JSON web tokens".
    """
    host = f"cognito-idp.{_domain(pool_id)}"
    return frozenset({f"https://{host}/{pool_id}", f"https://issuer-{host}/{pool_id}"})


def jwks_url(pool_id: str) -> str:
    """Return where a pool publishes its keys."""
    return f"https://cognito-idp.{_domain(pool_id)}/{pool_id}/.well-known/jwks.json"


def api_url(pool_id: str) -> str:
    """Return where Cognito's API of a pool's region is."""
    return f"https://cognito-idp.{_domain(pool_id)}/"


def _domain(pool_id: str) -> str:
    region = region_of(pool_id)
    suffix = next((_SUFFIXES[p] for p in _SUFFIXES if region.startswith(p)), "amazonaws.com")
    return f"{region}.{suffix}"
