"""A pool id gives its issuers and the address of its keys, and nothing else gives anything."""

import pytest

from sidecar.cognito.issuer import api_url, issuers, jwks_url, region_of

# Region → host below which Cognito answers there, one for each partition of AWS and then some.
DOMAINS = {
    "us-east-1": "us-east-1.amazonaws.com",
    "eu-west-1": "eu-west-1.amazonaws.com",
    "ap-southeast-7": "ap-southeast-7.amazonaws.com",
    "mx-central-1": "mx-central-1.amazonaws.com",
    "us-gov-west-1": "us-gov-west-1.amazonaws.com",
    "us-gov-east-1": "us-gov-east-1.amazonaws.com",
    "cn-north-1": "cn-north-1.amazonaws.com.cn",
    "cn-northwest-1": "cn-northwest-1.amazonaws.com.cn",
    "us-iso-east-1": "us-iso-east-1.c2s.ic.gov",
    "us-isob-east-1": "us-isob-east-1.sc2s.sgov.gov",
    "us-isof-south-1": "us-isof-south-1.csp.hci.ic.gov",
    "eu-isoe-west-1": "eu-isoe-west-1.cloud.adc-e.uk",
    "eusc-de-east-1": "eusc-de-east-1.amazonaws.eu",
}


@pytest.mark.parametrize(("region", "domain"), DOMAINS.items())
def test_pool_of_each_partition_has_its_two_issuers_and_keys(region: str, domain: str) -> None:
    """The original issuer, that of updated pools, and the keys beside the former."""
    pool_id = f"{region}_AbCdEfGhI"
    assert region_of(pool_id) == region
    assert issuers(pool_id) == {
        f"https://cognito-idp.{domain}/{pool_id}",
        f"https://issuer-cognito-idp.{domain}/{pool_id}",
    }
    assert jwks_url(pool_id) == f"https://cognito-idp.{domain}/{pool_id}/.well-known/jwks.json"
    assert api_url(pool_id) == f"https://cognito-idp.{domain}/"


@pytest.mark.parametrize("name", ["a", "AbCdEfGhI", "0" * 55])
def test_name_of_letters_and_digits_is_accepted(name: str) -> None:
    """As the Cognito API describes it."""
    assert region_of(f"eu-west-1_{name}") == "eu-west-1"


@pytest.mark.parametrize(
    "pool_id",
    [
        "", "x", "eu-west-1", "eu-west-1_", "_AbC", "eu-west-1-AbC", "eu_west_1_AbC",
        "EU-WEST-1_AbC", "eu-west-1_Ab C", "eu-west-1_AbC\n", "\neu-west-1_AbC", " eu-west-1_AbC",
        "eu-west-1_AbC/x", "eu-west-1_../x", "eu-west-1_..", "eu-west-1_a@evil", "eu-west-1_a.b",
        "eu-west-1_a#b", "eu-west-1_a?b", "eu-west-1_a%2f", "eu-west-1_" + "a" * 56,
        "evil.com/eu-west-1_AbC", "../eu-west-1_AbC", "a@eu-west-1_AbC", "eu-west-1.evil_AbC",
        "e-west-1_AbC", "toolong-west-1_AbC", "eu-west-100_AbC", "eu-west-one_AbC", "eu-west-1_é",
        "eu-west-\u0661_AbC", "eu--1_AbC", "a-b-c-d-1_AbC", "eu-west-1_a_b",
    ],
)  # fmt: skip
def test_anything_else_is_no_pool_id(pool_id: str) -> None:
    """No slash, dot, `@` or white space gets into a URL."""
    for function in (region_of, issuers, jwks_url, api_url):
        with pytest.raises(ValueError, match="expected a user pool id such as eu-west-1_AbCdEfGhI"):
            function(pool_id)
