"""The report in a real browser: readable by all, at any width, and deaf to whatever stands in its documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tasks.report import build_report, timeline_svg
from tests.tasks.report.stored import (
    new_store,
    put_deployed_run,
    put_poisoned_deployment,
    put_poisoned_run,
    put_run,
    put_wide_run,
)

KINDS = ("usual", "hostile", "wide", "deployed", "hostile-deployed")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    makers = {
        "usual": put_run,
        "hostile": put_poisoned_run,
        "wide": lambda store: put_wide_run(store, 80),
        "deployed": put_deployed_run,
        "hostile-deployed": put_poisoned_deployment,
    }
    paths: dict[str, Path] = {}
    for kind, make in makers.items():
        store = new_store(folder / kind)
        paths[kind] = folder / f"{kind}.html"
        paths[kind].write_bytes(build_report(store, make(store)))
        if kind == "usual":
            context = store.require("shop").context
            tracks = [store.require("shop", f"tracks/{name}").context for name in ("backend", "frontend", "mail")]
            (folder / "timeline.svg").write_text(timeline_svg(context, tracks), encoding="utf-8")
            paths["image"] = folder / "timeline.svg"
    return paths


class Watched:
    """A page that remembers what it asked for and what it complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def opened(browser: Browser, reports: dict[str, Path]) -> Iterator[Any]:
    contexts: list[Any] = []

    def open_(kind: str, width: int = 1440, scheme: Any = "light") -> Watched:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.goto(reports[kind].as_uri())
        return watched

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(opened: Any, kind: str, width: int, scheme: str):
    page = opened(kind, width, scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    response = Axe().run(page).response
    assert "color-contrast" in {one["id"] for one in response["passes"]}
    serious = [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in response["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_asks_for_nothing_and_complains_of_nothing(opened: Any, reports: dict[str, Path], kind: str):
    watched = opened(kind)
    watched.page.wait_for_load_state("networkidle")
    assert watched.requests == [reports[kind].as_uri()]
    assert watched.complaints == []


def test_a_hostile_text_runs_nothing_and_makes_no_element(opened: Any):
    page = opened("hostile").page
    assert page.locator("script, img, iframe, object, embed, form, link, base").count() == 0
    assert page.locator("h1").inner_text().startswith("<script>alert('x')</script>")
    assert not {"\u202e", "\u200b", "\x1b"} & set(page.locator("body").inner_text())


def test_its_style_is_applied_under_its_own_policy(opened: Any):
    colours = {
        scheme: opened("usual", 1440, scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert colours == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 28)"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [320, 390, 800, 1440])
def test_the_page_never_scrolls_sideways(opened: Any, kind: str, width: int):
    page = opened(kind, width).page
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "name"), [(390, "narrow"), (1440, "wide")])
def test_each_width_has_a_timeline_of_its_own_with_letters_large_enough(opened: Any, width: int, name: str):
    page = opened("usual", width).page
    visible = page.locator("#timeline svg[role=img]:visible")
    assert visible.count() == 1
    assert name in (visible.get_attribute("class") or "")
    assert visible.locator("text").first.bounding_box()["height"] >= 9


def test_words_of_the_timeline_lie_on_no_other(opened: Any):
    page = opened("usual", 390).page
    overlaps = page.evaluate(
        """() => {
          const boxes = [...document.querySelectorAll('#timeline svg.narrow text')].map(one => one.getBoundingClientRect());
          return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
            a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length;
        }"""
    )
    assert overlaps == 0


def test_every_link_leads_to_something_on_the_page(opened: Any):
    page = opened("usual").page
    targets = [link.get_attribute("href") for link in page.locator("a").all()]
    assert targets
    assert [one for one in targets if page.locator(one).count() != 1] == []


def test_printed_it_has_what_was_folded(opened: Any):
    page = opened("usual").page
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.get_by_text("What backend did.").is_visible()


def test_the_image_of_the_timeline_opens_by_itself(opened: Any):
    watched = opened("image")
    assert watched.complaints == []
    assert watched.page.locator("rect.work.critical").count() == 2
    assert watched.page.evaluate("getComputedStyle(document.querySelector('.ground')).fill") == "rgb(255, 255, 255)"
