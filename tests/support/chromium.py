"""Finding a Chromium on this machine, or getting one from Debian."""

import os
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_TIMEOUT_S = 300

# A container has no user namespaces and no GPU; the rest would ask the Internet for something.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium(playwright: Playwright) -> Path | None:
    """Return Playwright's own browser, else one on the path, else None."""
    own = Path(playwright.chromium.executable_path)
    on_path = filter(None, map(shutil.which, NAMES))
    return own if own.exists() else next(map(Path, on_path), None)


def install_chromium() -> None:
    """Install Debian's Chromium if there is none and this user may. Says nothing if it cannot."""
    with sync_playwright() as playwright:
        has_one = find_chromium(playwright) is not None
    if has_one or shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
    subprocess.run(command, check=False, timeout=INSTALL_TIMEOUT_S, stdout=subprocess.DEVNULL)
