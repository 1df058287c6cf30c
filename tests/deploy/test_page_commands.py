"""Every command of the pages, typed in its page's order in a new folder with a clean environment."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.commands import pages, script, shown, steps
from tests.servers import ROOT, Server, answers, client_environment, free_port
from tests.waiting import wait_until

# What this machine needs to reach the package registries; everything else of the environment is left out.
NETWORK = (
    "PIP_",
    "UV_",
    "SSL_CERT_",
    "REQUESTS_CA_",
    "CURL_CA_",
    "NODE_EXTRA_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
IN_A_CLONE = {"README.md", "docs/getting-started/tutorial.md", "examples/user_profile/README.md"}
"""Pages whose reader is in a clone; the others' readers are in an empty folder with plait on PATH."""
WITHOUT_SERVER = {"docs/getting-started/tutorial.md"}
"""Pages that start a server of their own."""
HAS_COMMANDS = [page for page in pages() if any(not step.file and not step.excuse for step in steps(page))]


@pytest.fixture
def newcomer(tmp_path: Path, prefect_server: Server) -> Iterator[dict[str, str]]:
    """Return the environment of somebody with a new home, and stop the server they may have left running."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(NETWORK)}
    quiet = {name: value for name, value in client_environment(tmp_path / "prefect").items() if name not in os.environ}
    path = [one for one in os.environ["PATH"].split(":") if not Path(one).is_relative_to(ROOT)]
    environment = kept | quiet | {
        "HOME": str(tmp_path / "home"),
        "PATH": ":".join(path),
        "LANG": "C.UTF-8",
        "PREFECT_API_URL": prefect_server.url,
        "PREFECT_SERVER_API_PORT": str(port),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv"),
    }  # fmt: skip
    (tmp_path / "home").mkdir()
    yield environment
    url = f"http://127.0.0.1:{port}/api"
    if answers(url):
        prefect = Path(sys.executable).parent / "prefect"
        subprocess.run([prefect, "server", "stop"], env=environment, check=True)
    wait_until(f"no server is left at {url}", lambda: not answers(url))


def copy_of_the_project(folder: Path) -> Path:
    """Return a clone with what is not committed yet, so that a page and its commands are tested as they stand."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", HAS_COMMANDS, ids=shown)
def test_the_commands_of_the_page_work(page: Path, tmp_path: Path, newcomer: dict[str, str]) -> None:
    todo = [step for step in steps(page) if not step.excuse]
    if shown(page) in WITHOUT_SERVER:
        del newcomer["PREFECT_API_URL"]
    if shown(page) in IN_A_CLONE:
        clone = copy_of_the_project(tmp_path / "plait")
        folder = clone / page.parent.relative_to(ROOT) if ROOT / "docs" not in page.parents else clone
        if "make " not in (typed := script(todo)):
            newcomer["PATH"] = f"{Path(sys.executable).parent}:{newcomer['PATH']}"
    else:
        folder, typed = tmp_path / "empty", script(todo)
        folder.mkdir()
        newcomer["PATH"] = f"{Path(sys.executable).parent}:{newcomer['PATH']}"
    typed = typed.replace(":4200", f":{newcomer['PREFECT_SERVER_API_PORT']}").replace("/tmp/", f"{tmp_path}/")
    log, file = tmp_path / "typed.log", tmp_path / "typed.sh"
    file.write_text(typed)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", file],
            cwd=folder, env=newcomer, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(800)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)
    said = log.read_text(encoding="utf-8", errors="replace")
    assert process.returncode == 0, said[-4000:]
    for step in todo:
        assert step.file or f"@@ {step.page}:{step.line}\n" in said
