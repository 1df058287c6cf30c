"""Make the pictures of the README: the example's run in the Prefect UI, and its report.

    python -m tests.ui.screenshots [--server URL]

It runs examples/user_profile on a Prefect server of its own, or on the one named, and writes docs/images/.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.servers import ROOT, client_environment, running_server
from tests.ui.person import launch, visiting

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT, REPORT_HEIGHT = 1280, 860, 1120
ADDRESS = re.compile(r"/runs/flow-run/([0-9a-f-]{36})")
REPORT = re.compile(r"^  report +(\S+)$", re.MULTILINE)


def main() -> int:
    """Run the example, and take both pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", help="API address of a server that runs already")
    given = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), given.server) as url:
        run_id, report = run_example(Path(folder) / "demo", url)
        with sync_playwright() as playwright:
            browser = launch(playwright)
            picture_of_run(browser, url, run_id)
            picture_of_report(browser, report)
            browser.close()
    for image in sorted(IMAGES.glob("*.png")):
        print(f"{image.relative_to(ROOT)}: {image.stat().st_size // 1000} KB")
    return 0


@contextmanager
def server(folder: Path, url: str | None) -> Iterator[str]:
    """Yield the address of a server: the one given, or a new one."""
    if url:
        yield url
        return
    with running_server(folder / "prefect") as started:
        yield started.url


def run_example(folder: Path, url: str) -> tuple[str, Path]:
    """Run the example feature; return the flow run's id and the path of the report."""
    environment = client_environment(folder.parent / "client") | {"PREFECT_API_URL": url}
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "user_profile" / "demo.py", folder],
        env=environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    run_id, report = ADDRESS.search(done.stdout), REPORT.search(done.stdout)
    if not run_id or not report:
        raise SystemExit(f"the run said neither where it is nor where its report is:\n{done.stdout}")
    return run_id[1], Path(report[1])


def picture_of_run(browser: Browser, url: str, run_id: str) -> None:
    """Show the run's page: the tracks side by side, and what follows them."""
    with visiting(browser, url) as somebody:
        somebody.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        somebody.open(f"/runs/flow-run/{run_id}")
        somebody.see_state("Completed")
        somebody.see(re.compile("merge user-profile"), within=somebody.run_tab("Task Runs"))
        somebody.page.wait_for_load_state("networkidle")
        somebody.page.screenshot(path=IMAGES / "run.png", animations="disabled")


def picture_of_report(browser: Browser, report: Path) -> None:
    """Show the beginning of the report."""
    context = browser.new_context(viewport={"width": WIDTH, "height": REPORT_HEIGHT}, color_scheme="light")
    page = context.new_page()
    page.goto(report.as_uri())
    page.screenshot(path=IMAGES / "report.png")
    context.close()


if __name__ == "__main__":
    sys.exit(main())
