"""The admin page in a real browser: what somebody on call sees, and a token explained."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from deploy.local.sign_in import sign_in
from tests.e2e.conftest import OpenPage
from tests.support.stack import ROOT, Stack

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def admin(open_page: OpenPage, stack: Stack) -> Page:
    """Open the page of the demo's sidecar."""
    page = open_page(base_url=stack.record["admin_url"], viewport={"width": 1280, "height": 900})
    page.goto("/")
    expect(page.get_by_role("status")).to_have_text("ready")
    return page


def test_request_with_a_bad_token_shows_among_the_last_refusals(admin: Page, stack: Stack) -> None:
    """From a refusal in the browser to its cause without touching a terminal."""
    stack.ask("/api/whoami", token="a.b.c")
    refused = admin.locator("#refusals tbody tr").first
    expect(refused).to_contain_text("token_malformed")
    expect(refused).to_contain_text("GET /api/whoami")
    expect(admin.locator("#reasons")).to_contain_text("token_malformed")


def test_page_shows_keys_rules_and_settings(admin: Page, stack: Stack) -> None:
    """What the sidecar works with is there without asking."""
    expect(admin.locator("#keys")).to_contain_text(stack.pool.user_pool_id)
    expect(admin.locator("#routes")).to_contain_text("default")
    expect(admin.locator("#settings")).to_contain_text("SIDECAR_CORS_ORIGINS")
    expect(admin.locator("#settings")).to_contain_text(stack.record["frontend_url"])


def test_charts_draw_what_was_decided(admin: Page, stack: Stack) -> None:
    """Bars of the colour of the decision, and a reading under the pointer."""
    for _ in range(5):
        stack.ask("/api/whoami")
    expect(admin.locator("#decisions rect").first).to_be_attached()
    box = admin.locator("#decisions svg").bounding_box()
    assert box is not None
    admin.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    expect(admin.locator("#decisions .tip")).to_contain_text("authenticated")


def test_good_token_is_explained(admin: Page, stack: Stack) -> None:
    """Each check with what it found, and the headers the backend would get."""
    token = sign_in(stack.pool).access_token
    admin.get_by_label("Token").fill(f"Authorization: Bearer {token}")
    admin.get_by_label("Path").fill("/api/whoami")
    admin.get_by_role("button", name="Explain").click()
    verdict = admin.locator("#verdict")
    expect(verdict).to_contain_text("Accepted")
    expect(verdict).to_contain_text("forwarded with identity")
    expect(verdict).to_contain_text(f"X-Cognito-Sub: {stack.pool.users[0].sub}")
    assert token.rpartition(".")[2][:16] not in verdict.inner_text()


def test_first_failing_check_is_marked(admin: Page, stack: Stack) -> None:
    """An id token where access tokens are asked for: expected and actual side by side."""
    admin.get_by_label("Token").fill(sign_in(stack.pool).id_token)
    admin.get_by_role("button", name="Explain").click()
    verdict = admin.locator("#verdict")
    expect(verdict).to_contain_text("Not accepted: token_use_mismatch")
    deciding = verdict.get_by_role("row").filter(has_text="decides")
    expect(deciding).to_have_count(1)
    expect(deciding).to_contain_text("expected access")


def test_markup_of_a_token_stays_text(admin: Page) -> None:
    """What a token says is shown, never run."""
    admin.get_by_label("Path").fill("/<img src=x onerror=document.title='run'>")
    admin.get_by_role("button", name="Explain").click()
    expect(admin.locator("#verdict")).to_contain_text("request_malformed")
    assert admin.locator("#verdict img").count() == 0
    assert admin.title() == "sidecar"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_readable_in_both_schemes_and_by_everybody(
    open_page: OpenPage, stack: Stack, scheme: str
) -> None:
    """Contrast, names and roles as WCAG asks for, in light and in dark."""
    page = open_page(base_url=stack.record["admin_url"], color_scheme=scheme)
    page.goto("/")
    expect(page.get_by_role("status")).to_have_text("ready")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", background)[0]) < 128) is (scheme == "dark")
    page.evaluate(AXE.read_text(encoding="utf-8"))  # past the policy, as a tool of the browser's
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_narrow_window_needs_no_sideways_scrolling(admin: Page) -> None:
    """A phone in the middle of the night."""
    admin.set_viewport_size({"width": 390, "height": 844})
    wide = admin.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
