"""What eyes, keyboards and screen readers get; and the pictures of README."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from deploy.local.pool import DemoUser
from tests.e2e.conftest import OpenPage
from tests.support.cruddur import GAREK, expect_anonymous, expect_signed_in, feed, sign_in
from tests.support.stack import ROOT, Stack

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
LAPTOP: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
NARROWEST: ViewportSize = {"width": 360, "height": 740}

# Each page and the text that is there once it is complete.
OPEN_PAGES = [
    ("/", GAREK),
    ("/@Worf", "A warrior needs no holiday."),
    ("/@nobody", "Nothing here"),
    ("/nowhere", "There is no page at this address"),
    ("/signin", "Forgot Password?"),
    ("/signup", "What others see"),
    ("/confirm?email=ada%40example.com", "Resend Activation Code"),
    ("/forgot", "Send Recovery Code"),
]
MEMBERS_PAGES = [
    ("/", GAREK),
    ("/notifications", "The invoice follows."),
    ("/messages", "No messages"),
]


def visit(page: Page, path: str, text: str) -> None:
    page.goto(path)
    expect(page.get_by_text(text).first).to_be_visible()


def assert_accessible(page: Page) -> None:
    """Axe finds nothing, serious or not, in what is on the screen now."""
    page.evaluate(AXE.read_text(encoding="utf-8"))  # past the policy, as a tool of the browser's
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    told = [(one["impact"], one["id"], [node["html"] for node in one["nodes"]]) for one in found]
    assert told == [], page.url


def assert_fits(page: Page) -> None:
    """Nothing is wider than the screen, so nobody has to scroll sideways."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_of_a_visitor_are_accessible_and_fit_a_phone(open_page: OpenPage, theme: str) -> None:
    """Every page anybody can open, in both themes, at 360 pixels."""
    page = open_page(viewport=NARROWEST, color_scheme=theme)
    for path, text in OPEN_PAGES:
        visit(page, path, text)
        assert_accessible(page)
        assert_fits(page)
    page.goto("/signin")
    page.get_by_role("button", name="Sign In").click()
    page.get_by_role("alert").wait_for()
    assert_accessible(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_of_a_member_are_accessible_and_fit_a_phone(
    open_page: OpenPage, person: DemoUser, theme: str
) -> None:
    """The pages behind the sign-in and the compose dialog; the home feed on a wide screen too."""
    page = open_page(viewport=NARROWEST, color_scheme=theme)
    sign_in(page, person)
    for path, text in MEMBERS_PAGES:
        visit(page, path, text)
        assert_accessible(page)
        assert_fits(page)
    page.get_by_role("button", name="Crud").click()
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("Escape")
    page.set_viewport_size(LAPTOP)
    visit(page, "/", GAREK)
    assert_accessible(page)


def test_keyboard_alone_is_enough(page: Page, person: DemoUser) -> None:
    """Skip link, sign-in, composing and posting, without a pointer; focus comes back."""
    page.goto("/signin")
    page.get_by_label("Email").focus()
    page.keyboard.type(person.email)
    page.keyboard.press("Tab")
    page.keyboard.type(person.password)
    page.keyboard.press("Enter")
    expect_signed_in(page, person)

    page.reload()
    expect_signed_in(page, person)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()

    crud = page.get_by_role("button", name="Crud")
    crud.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(crud).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.type(f"Typed by {person.name}")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(feed(page)).to_contain_text(f"Typed by {person.name}")
    expect(page.get_by_role("status").filter(has_text="Posted.")).to_have_count(1)


SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifts += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_nothing_jumps_while_a_page_loads(
    open_page: OpenPage, stack: Stack, person: DemoUser, viewport: ViewportSize
) -> None:
    """What is loading keeps its place: for a visitor and over a reload of somebody signed in."""
    page = open_page(viewport=viewport)
    page.add_init_script(SHIFTS)
    page.goto("/")
    expect_anonymous(page)
    assert page.evaluate("window.shifts") < 0.05  # 0.1 is what is called good
    sign_in(page, person)
    page.reload()
    expect_signed_in(page, person)
    assert page.evaluate("window.shifts") < 0.05
    assert stack.record["frontend_url"] in page.url


def test_pictures_of_the_readme(open_page: OpenPage, stack: Stack, images: Path | None) -> None:
    """Taken from the running demo when E2E_SCREENSHOTS is set, so that they stay true."""
    laptop = open_page(viewport=LAPTOP, color_scheme="light")
    laptop.goto("/")
    expect_anonymous(laptop)
    _picture(laptop, images, "signed-out")
    sign_in(laptop, stack.pool.users[0])
    _picture(laptop, images, "signed-in")
    phone = open_page(viewport=PHONE, color_scheme="dark", is_mobile=True, device_scale_factor=2)
    sign_in(phone, stack.pool.users[0])
    _picture(phone, images, "phone")


def _picture(page: Page, images: Path | None, name: str) -> None:
    picture = page.screenshot(path=images / f"{name}.png" if images else None)
    assert picture.startswith(b"\x89PNG")
