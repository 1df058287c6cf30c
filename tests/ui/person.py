"""A person at the Prefect UI: sees roles and words, waits until they are there, and reaches no other host."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, Playwright, Route, expect
from playwright.sync_api import TimeoutError as NothingHappened

from tests.waiting import PATIENCE

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--no-default-browser-check",
]  # fmt: skip
SECONDS = PATIENCE
"""How long a person waits for what must come; a page comes in one, a run in ten."""


def launch(playwright: Playwright) -> Browser:
    """Start Debian's chromium without a window."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)


class Person:
    """Somebody who looks at one Prefect server in a browser.

    Attributes:
        turned_away: Addresses outside the server that its pages asked for, and did not get.
    """

    def __init__(self, page: Page, api_url: str) -> None:
        self.page = page
        self.base = api_url.removesuffix("/api")
        self.turned_away: list[str] = []
        page.context.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        page.context.route("**/*", self._only_the_server)

    def _only_the_server(self, route: Route) -> None:
        url = route.request.url
        if urlsplit(url).netloc == urlsplit(self.base).netloc or url.startswith(("data:", "blob:")):
            route.continue_()
        else:
            self.turned_away.append(url)
            route.abort()

    def come(self) -> None:
        """Open the server's address, as printed when it starts; it leads to the UI Prefect prefers."""
        self.page.goto(self.base)

    def open(self, path: str) -> None:
        """Open a page of the UI Prefect prefers."""
        self.come()
        root = re.match(r"(/v\d+)?", urlsplit(self.page.url).path)
        self.page.goto(f"{self.base}{root[0] if root else ''}{path}")

    def see(self, text: str | re.Pattern[str], *, within: Locator | None = None, seconds: float = SECONDS) -> None:
        """Wait until a text can be seen."""
        place = within or self.page.get_by_role("main")
        expect(place.get_by_text(text).first).to_be_visible(timeout=seconds * 1000)

    def see_state(self, name: str, seconds: float = SECONDS) -> None:
        """Wait until the run whose page is open is in a state; the page keeps itself up to date."""
        expect(self.page.get_by_role("main").get_by_text(name, exact=True).first).to_be_visible(timeout=seconds * 1000)

    def run_tab(self, name: str) -> Locator:
        """Choose a tab of a run's page, and return what it shows."""
        self.page.get_by_role("tab", name=name, exact=True).click()
        return self.page.get_by_role("tabpanel", name=name, exact=True)

    def read_artifact(self, key: str) -> Locator:
        """Open the newest version of an artifact, and return the page."""
        self.open(f"/artifacts/key/{key}")
        self.page.locator("main a[href*='/artifacts/artifact/']").first.click()
        expect(self.page).to_have_url(re.compile(r"/artifacts/artifact/"))
        return self.page.get_by_role("main")

    def fill_run_form(self, deployment: str, **texts: str) -> None:
        """From the start page to the deployment's form, fill in texts by their titles."""
        self.come()
        self.page.get_by_role("link", name="Deployments", exact=True).click()
        self.page.get_by_role("main").get_by_role("link", name=deployment, exact=True).first.click()
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Custom run").click()
        for title, text in texts.items():
            self.page.get_by_label(re.compile(f"^{title.replace('_', ' ')}", re.IGNORECASE)).first.fill(text)

    def submit_run_form(self) -> None:
        """Press Submit, again while nothing happens or the server is too busy, until the server has taken the run."""
        submit = self.page.get_by_role("main").get_by_role("button", name="Submit", exact=True)
        for _ in range(9):
            if submit.is_hidden():
                return
            try:
                with self.page.expect_response(re.compile("/create_flow_run$"), timeout=20_000) as answer:
                    submit.click()
            except NothingHappened:
                print("Submit: the page asked nothing of the server within 20 s")
                continue
            if answer.value.ok:
                return
            print(f"Submit: the server answered {answer.value.status}: {answer.value.text()[:500]}")
        raise AssertionError("the run form was submitted five times in vain")

    def resume(self) -> Locator:
        """Open the form of the suspended run whose page is open, and return it."""
        self.page.get_by_role("main").get_by_role("button", name="Open menu").first.click()
        self.page.get_by_role("menuitem", name="Resume").click()
        expect(self.page.get_by_role("dialog")).to_be_visible()
        return self.page.get_by_role("dialog")


@contextmanager
def visiting(browser: Browser, api_url: str) -> Iterator[Person]:
    """Look at a server with a browser that has been nowhere."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme="light")
    try:
        yield Person(context.new_page(), api_url)
    finally:
        context.close()
