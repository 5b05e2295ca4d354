"""A real Chromium in front of the whole demo; every page it shows has to be clean."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from deploy.local.pool import DemoUser, create_pool
from tests.support.chromium import FLAGS, find_chromium, install_chromium
from tests.support.stack import ROOT, Stack, running_demo

OpenPage = Callable[..., Page]

HERE = Path(__file__).parent
PATIENCE_MS = 10_000  # for one thing to appear; it takes 0.1 s, or longer on a busy CI machine


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install a browser before the first test: it may take longer than one test is given."""
    if any(HERE in item.path.parents for item in session.items):
        install_chromium()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a demo for this folder alone: these tests change passwords and sign everybody out."""
    with running_demo(tmp_path_factory.mktemp("demo")) as stack:
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium per file. Not per session: no asyncio test can run while Playwright does."""
    with sync_playwright() as playwright:
        program = find_chromium(playwright)
        if program is None:
            pytest.fail("no Chromium: apt-get install chromium, or playwright install chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, stack: Stack) -> Iterator[OpenPage]:
    """Open pages, each in a browser profile of its own unless one is given.

    What fails in a page fails the test: scripts that raise, and what the Content-Security-Policy
    had to stop.
    """
    complaints: list[str] = []
    with ExitStack() as opened:

        def new_context(**options: object) -> BrowserContext:
            options = {"base_url": stack.record["frontend_url"], "locale": "en-GB"} | options
            context = browser.new_context(**options)  # type: ignore[arg-type]  # by name, as given
            context.set_default_timeout(PATIENCE_MS)
            opened.callback(context.close)
            return context

        def open_one(context: BrowserContext | None = None, **options: object) -> Page:
            page = (context or new_context(**options)).new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: _note_violation(said.text, complaints))
            return page

        yield open_one
    assert complaints == []


def _note_violation(text: str, complaints: list[str]) -> None:
    if "Content Security Policy" in text:
        complaints.append(text)


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """Open the page of somebody on a laptop who has never been here."""
    return open_page(viewport={"width": 1280, "height": 860})


@pytest.fixture
def person(stack: Stack) -> DemoUser:
    """Make somebody with an account, whom no other test knows."""
    name = uuid4().hex[:8]
    person = DemoUser(f"{name}@example.com", "Analytical-1843", f"Person {name}", f"p.{name}")
    return create_pool(stack.pool.endpoint, (person,)).users[0]


@pytest.fixture(scope="session")
def images() -> Path | None:
    """Where README's pictures go; None unless they were asked for, so that the tree stays clean."""
    return ROOT / "docs" / "images" if os.environ.get("E2E_SCREENSHOTS") else None
