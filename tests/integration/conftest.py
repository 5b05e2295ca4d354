"""The whole stack, once for all tests of this folder."""

from collections.abc import Iterator

import pytest

from deploy.local.sign_in import Tokens, sign_in
from tests.support.stack import Stack, running_demo


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start the demo on ports of its own, once for all tests."""
    with running_demo(tmp_path_factory.mktemp("demo")) as stack:
        yield stack


@pytest.fixture(scope="session")
def tokens(stack: Stack) -> Tokens:
    """Sign in once as the first demo user."""
    return sign_in(stack.pool)
