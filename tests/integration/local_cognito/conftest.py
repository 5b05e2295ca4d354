"""One local Cognito for all tests of this folder."""

from collections.abc import Iterator

import pytest
from botocore.client import BaseClient

from deploy.local.aws import connect, connect_anonymously
from deploy.local.cognito import local_cognito
from deploy.local.pool import LocalPool
from deploy.local.sign_in import Tokens, sign_in


@pytest.fixture(scope="session")
def pool() -> Iterator[LocalPool]:
    """The pool of our template, with its two users."""
    with local_cognito() as pool:
        yield pool


@pytest.fixture(scope="session")
def tokens(pool: LocalPool) -> Tokens:
    """Tokens of Ada, who is in the group `admin`."""
    return sign_in(pool)


@pytest.fixture
def browser(pool: LocalPool) -> BaseClient:
    """What anybody can call."""
    return connect_anonymously(pool.endpoint)


@pytest.fixture
def operator(pool: LocalPool) -> BaseClient:
    """What only the owner of the AWS account can call."""
    return connect("cognito-idp", pool.endpoint)
