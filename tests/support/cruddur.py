"""What a person does in the app, by the names that a person sees."""

import re

from playwright.sync_api import Locator, Page, expect

from deploy.local.pool import DemoUser
from tests.support.stack import Stack

LORE = "If you can read this, you have been vouched for."
GAREK = "Hemming season at the shop."


def sign_in(page: Page, user: DemoUser) -> None:
    """Sign in and wait for the feed that only a signed-in user has."""
    page.goto("/signin")
    fill_sign_in(page, user.email, user.password)
    expect_signed_in(page, user)


def fill_sign_in(page: Page, email: str, password: str) -> None:
    """Fill in the form and send it."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign In").click()


def expect_signed_in(page: Page, user: DemoUser) -> None:
    """The page is the home feed of `user`, as the sidecar sees it and as the app does."""
    expect(feed(page)).to_contain_text(LORE)
    expect(page.get_by_text(f"@{user.preferred_username}").first).to_be_visible()
    expect(page.get_by_text(user.name)).to_be_visible()


def expect_anonymous(page: Page) -> None:
    """The page is the home feed of nobody."""
    expect(feed(page)).to_contain_text(GAREK)
    expect(feed(page)).not_to_contain_text(LORE)
    expect(page.get_by_role("link", name="Sign In")).to_be_visible()
    expect(page.get_by_role("button", name="Sign Out")).to_have_count(0)


def sign_out(page: Page) -> None:
    """Sign out and wait for the feed of nobody."""
    page.get_by_role("button", name="Sign Out").click()
    expect_anonymous(page)


def post(page: Page, message: str) -> None:
    """Compose and post; the dialog closes when the backend has it."""
    page.get_by_role("button", name="Crud").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(message)
    dialog.get_by_role("button", name="Crud").click()
    expect(dialog).to_be_hidden()


def feed(page: Page) -> Locator:
    """The list of activities on this page."""
    return page.get_by_role("main").get_by_role("list").first


def alert(page: Page) -> Locator:
    """What is said to have gone wrong."""
    return page.get_by_role("alert")


def tokens_in(page: Page) -> str:
    """Everything this browser keeps for the app, as one text."""
    kept: str = page.evaluate(
        """async () => JSON.stringify([
            { ...localStorage }, { ...sessionStorage }, document.cookie,
            (await indexedDB.databases()).map(({ name }) => name), await caches.keys(),
        ])"""
    )
    return kept


def access_token(page: Page, stack: Stack) -> str:
    """The access token that Amplify holds now."""
    token: str = page.evaluate(
        """(clientId) => {
            const prefix = `CognitoIdentityServiceProvider.${clientId}.`;
            return localStorage[`${prefix}${localStorage[prefix + "LastAuthUser"]}.accessToken`];
        }""",
        stack.pool.client_id,
    )
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    return token
