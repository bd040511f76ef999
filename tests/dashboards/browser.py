"""Helpers of browser tests: serve the dashboards, start a headless Chromium, and visit pages with it."""

import io
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from urllib3 import PoolManager, Retry

from recsys.cli import dashboard
from recsys.home import Home
from recsys.login import secrets_file

from .provider import CLIENT, SECRET

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
TIMEOUT_MS, EXPECT_MS = 60_000, 20_000  # of an action; of what a page should come to show
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/125.0 Mobile Safari/537.36"


@contextmanager
def served(home: Path, *, issuer: str | None = None) -> Iterator[str]:
    """Serve the dashboards on a free port, with a login if an issuer is given; yield their address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if issuer:
        secrets_file(Home(home)).write_text(_secrets(f"http://127.0.0.1:{port}", issuer))
    command = dashboard.command(Home(home), address="127.0.0.1", port=port)
    environment = os.environ | {"RECSYS_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _secrets(address: str, issuer: str) -> str:
    return (
        f'[auth]\nredirect_uri = "{address}/oauth2callback"\ncookie_secret = "{"x" * 32}"\n'
        f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
        f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n'
    )


def _wait(address: str) -> None:
    """Wait until the app responds; raise if it never does."""
    retries = Retry(total=60, backoff_factor=0.1, backoff_max=0.5)
    PoolManager(retries=retries).request("GET", address)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium that is installed on this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def downloaded(page: Page, key: str) -> pl.DataFrame:
    """Download the rows of a figure or table as CSV, by its key."""
    with page.expect_download() as waiting:
        page.locator(f".st-key-{key}_csv button").first.click()
    return pl.read_csv(io.BytesIO(waiting.value.path().read_bytes()))


class Visit:
    """
    A browser window on the dashboards.

    Attributes:
        errors: Console errors of the pages opened.
        elsewhere: Addresses of other servers that a page requested.
    """

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
        is_phone: bool = False,
    ) -> None:
        self.address, self.errors, self.elsewhere = address, list[str](), list[str]()
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            user_agent=PHONE if is_phone else None,
            accept_downloads=True,
        )
        self.page: Page = context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        expect.set_options(timeout=EXPECT_MS)
        self.page.on("console", self._note)
        self.page.on("request", self._watch)

    def _note(self, message: ConsoleMessage) -> None:
        is_probe = "/_stcore/" in message.location["url"]  # Streamlit probes for the path that it is served from
        if message.type == "error" and not is_probe:
            self.errors.append(message.text)

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.elsewhere.append(request.url)

    def open(self, path: str = "") -> Page:
        """Open a page and wait until it is rendered."""
        self.page.goto(f"{self.address}/{path}", wait_until="commit")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the page's script has ended and rendering is complete."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_selector("h1, [data-testid=stAlert]")
        self.page.wait_for_timeout(400)
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def log_in(visit: Visit, account: str) -> Page:
    """Log in on the page of the test's provider, with the name of an account."""
    page = visit.open()
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name=account).click()
    page.wait_for_url(f"{visit.address}/**")
    visit.settle()
    return page
