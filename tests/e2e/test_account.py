"""The story every Cognito tutorial tells, by the names that a person sees."""

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from deploy.local.pool import DemoUser
from deploy.local.sign_in import emailed_code
from tests.support.cruddur import (
    alert,
    expect_anonymous,
    expect_signed_in,
    feed,
    fill_sign_in,
    post,
    sign_in,
    sign_out,
)
from tests.support.stack import Stack


@pytest.fixture
def newcomer() -> DemoUser:
    """Somebody without an account."""
    name = uuid4().hex[:8]
    return DemoUser(f"{name}@example.com", "Analytical-1843", f"New {name}", f"new.{name}")


def sign_up(page: Page, who: DemoUser) -> None:
    page.goto("/signup")
    page.get_by_label("Name", exact=True).fill(who.name)
    page.get_by_label("Email").fill(who.email)
    page.get_by_label("Username").fill(who.preferred_username)
    page.get_by_label("Password").fill(who.password)
    page.get_by_role("button", name="Sign Up").click()
    expect(page).to_have_url(f"/confirm?email={who.email.replace('@', '%40')}")


def confirm(page: Page, code: str) -> None:
    page.get_by_label("Confirmation Code").fill(code)
    page.get_by_role("button", name="Confirm Email").click()


def other_than(code: str) -> str:
    """Six other digits."""
    return code.translate(str.maketrans("0123456789", "1234567890"))


def test_the_whole_story(page: Page, stack: Stack, newcomer: DemoUser) -> None:
    """Sign up, confirm, sign in, see a feed that changes, post, find the post, sign out."""
    page.goto("/")
    expect_anonymous(page)
    page.get_by_role("link", name="Sign Up").click()
    sign_up(page, newcomer)

    confirm(page, emailed_code(stack.pool, newcomer.email))
    page.get_by_text("Your email is confirmed.").wait_for()
    fill_sign_in(page, newcomer.email, newcomer.password)
    expect(page).to_have_url("/")
    expect_signed_in(page, newcomer)

    message = f"Hello from {newcomer.name} 🖖"
    post(page, message)
    activity = feed(page).get_by_role("listitem").filter(has_text=message).first
    expect(activity).to_contain_text(f"@{newcomer.preferred_username}")
    page.get_by_role("link", name="Profile").click()
    expect(page).to_have_url(f"/@{newcomer.preferred_username}")
    expect(feed(page)).to_contain_text(message)

    page.get_by_role("button", name="Sign Out").click()
    expect(page.get_by_role("link", name="Sign In")).to_be_visible()
    page.get_by_role("link", name="Home").click()
    expect_anonymous(page)
    expect(feed(page)).to_contain_text(message)  # it is public, and it was kept


def test_wrong_code_is_said_and_a_new_one_can_be_asked_for(
    page: Page, stack: Stack, newcomer: DemoUser
) -> None:
    """A wrong code confirms nobody; the one of the second e-mail does."""
    sign_up(page, newcomer)
    confirm(page, other_than(emailed_code(stack.pool, newcomer.email)))
    expect(alert(page)).to_have_text("That code is not right. Check it, or ask for a new one.")

    page.get_by_role("button", name="Resend Activation Code").click()
    sent = "A new activation code has been sent to your email"
    expect(page.get_by_role("status").filter(has_text=sent)).to_be_visible()
    confirm(page, emailed_code(stack.pool, newcomer.email))
    page.get_by_text("Your email is confirmed.").wait_for()
    fill_sign_in(page, newcomer.email, newcomer.password)
    expect_signed_in(page, newcomer)


def test_sign_in_before_confirmation_leads_to_it(
    page: Page, stack: Stack, newcomer: DemoUser
) -> None:
    """The right password of an unconfirmed account asks for the code, of that address."""
    sign_up(page, newcomer)
    page.goto("/signin")
    fill_sign_in(page, newcomer.email, newcomer.password)
    expect(page.get_by_label("Confirmation Code")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value(newcomer.email)
    confirm(page, emailed_code(stack.pool, newcomer.email))
    expect(page).to_have_url(f"/signin?email={newcomer.email.replace('@', '%40')}&confirmed=")


def test_taken_address_is_said(page: Page, person: DemoUser) -> None:
    """A second account for one address is refused in words."""
    page.goto("/signup")
    page.get_by_label("Name", exact=True).fill("Somebody Else")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Username").fill("somebody")
    page.get_by_label("Password").fill("Analytical-1843")
    page.get_by_role("button", name="Sign Up").click()
    expect(alert(page)).to_contain_text("There is an account with this email already.")


@pytest.mark.parametrize("email", [None, "nobody@example.com"])
def test_wrong_password_signs_nobody_in(page: Page, person: DemoUser, email: str | None) -> None:
    """The words are the same for an account that does not exist: nobody learns which do."""
    page.goto("/")
    page.get_by_role("link", name="Sign In").click()
    fill_sign_in(page, email or person.email, "Analytical-1844")
    expect(alert(page)).to_have_text("The email or the password is wrong.")
    page.goto("/")
    expect_anonymous(page)


def test_password_is_recovered(page: Page, stack: Stack, person: DemoUser) -> None:
    """A code by e-mail opens a new password; the old one no longer works."""
    password = "Difference-1822"
    page.goto("/signin")
    page.get_by_role("link", name="Forgot Password?").click()
    page.get_by_label("Email").fill(person.email)
    page.get_by_role("button", name="Send Recovery Code").click()
    page.get_by_label("Reset Password Code").wait_for()
    code = emailed_code(stack.pool, person.email)

    for typed, again, said in (
        (code, "Difference-1823", "The two passwords do not match."),
        (other_than(code), password, "That code is not right. Check it, or ask for a new one."),
    ):
        page.get_by_label("Reset Password Code").fill(typed)
        page.get_by_label("New Password", exact=True).fill(password)
        page.get_by_label("New Password Again").fill(again)
        page.get_by_role("button", name="Reset Password").click()
        expect(alert(page)).to_have_text(said)

    page.get_by_label("Reset Password Code").fill(code)
    page.get_by_role("button", name="Reset Password").click()
    page.get_by_role("link", name="Proceed to Signin").click()
    fill_sign_in(page, person.email, person.password)
    expect(alert(page)).to_have_text("The email or the password is wrong.")
    fill_sign_in(page, person.email, password)
    expect_signed_in(page, person)


def test_navigation_is_there_only_when_signed_in(page: Page, person: DemoUser) -> None:
    """Each page of a signed-in user can be reached, and is empty in words rather than blank."""
    names = ("Notifications", "Messages", "Profile")
    page.goto("/")
    expect_anonymous(page)
    for name in names:
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    expect(page.get_by_role("heading", name="Join")).to_be_visible()

    sign_in(page, person)
    for heading in ("Trending", "Suggested Users"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    for name, said in zip(names, ("@Quark", "No messages", "You have not said"), strict=True):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("main")).to_contain_text(said)
        expect(page.get_by_role("heading", level=1)).to_be_focused()
    sign_out_from_profile(page)


def sign_out_from_profile(page: Page) -> None:
    page.goto("/")
    sign_out(page)
