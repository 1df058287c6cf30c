"""The gate of a local run: asked on a terminal; without one, answered by `plait approve` before another run."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.flows.specs import LEAVE, write_spec
from tests.servers import ROOT, Server
from tests.waiting import PATIENCE


def talk(
    argv: list[str], environment: dict[str, str], answers: list[tuple[str, str]], seconds: float = PATIENCE
) -> tuple[int, str]:
    """Run a program on a terminal of its own, and answer what it asks."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    said, left, seen = "", list(answers), 0
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            ready, _, _ = select.select([master], [], [], 0.2)
            if ready:
                try:
                    said += os.read(master, 65536).decode("utf-8", "replace")
                except OSError:
                    break
            if left and left[0][0] in said[seen:]:
                seen = len(said)
                os.write(master, left.pop(0)[1].encode() + b"\n")
        return process.wait(PATIENCE), said
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)


def test_a_run_on_a_terminal_asks_who_and_what_and_deploys(prefect_api: Server, tmp_path: Path) -> None:
    production = {
        "argv": ["sh", "-c", f"echo done >> {tmp_path / 'production'}"],
        "gate": "go",
        "prerequisites": [{"id": "told", "text": "users were told", "manual": True}],
    }
    checks = {"checks": [{"id": "unit", "argv": ["true"]}]}
    spec = write_spec(tmp_path, "shop", {"api": LEAVE}, verification=checks, deployment={"production": production})
    environment = prefect_api.environment | {
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"), "PLAIT_STORE": str(tmp_path / "store"), "TERM": "xterm",
    }  # fmt: skip
    answers = [("Decision", "approve"), ("Who decides", "Ann"), ("Note", "go"), ("Does it hold: users were told", "y")]
    code, said = talk([str(Path(sys.executable).with_name("plait")), "run", spec], environment, answers)
    assert code == 0, said
    assert "deployed" in said
    assert (tmp_path / "production").read_text() == "done\n"
    (approval,) = ContextStore(LocalObjects(tmp_path / "store")).require("shop")[1]["approvals"]
    assert (approval["by"], approval["note"], approval["ticked"]) == ("Ann", "go", ["told"])


def test_without_a_terminal_a_run_ends_with_5_and_goes_on_after_plait_approve(
    prefect_api: Server, tmp_path: Path
) -> None:
    production = {
        "argv": ["sh", "-c", f"echo done >> {tmp_path / 'production'}"],
        "gate": "go",
        "prerequisites": [{"id": "told", "text": "users were told", "manual": True}],
    }
    checks = {"checks": [{"id": "unit", "argv": ["true"]}]}
    spec = write_spec(tmp_path, "shop", {"api": LEAVE}, verification=checks, deployment={"production": production})
    environment = prefect_api.environment | {
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"), "PLAIT_STORE": str(tmp_path / "store"),
    }  # fmt: skip

    def plait(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("plait")), *arguments],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, said = plait("run", spec)
    assert (code, "plait approve shop go --by NAME --note TEXT --tick told" in " ".join(said.split())) == (5, True), (
        said
    )
    code, said = plait("approve", "shop", "go", "--by", "Ann", "--note", "go")
    assert (code, "--tick told" in said) == (2, True), said
    assert plait("approve", "shop", "go", "--by", "Ann", "--note", "go", "--tick", "told")[0] == 0
    assert not (tmp_path / "production").exists(), "approving deploys nothing by itself"
    code, said = plait("resume", "shop")
    assert code == 0, said
    assert (tmp_path / "production").read_text() == "done\n"
    readiness = ContextStore(LocalObjects(tmp_path / "store")).require("shop")[1]["deployment_readiness"]
    assert (readiness["production"]["status"], readiness["production"]["approval"]["by"]) == ("deployed", "Ann")


def test_what_prefect_says_at_its_first_import_stands_below_the_board_and_is_left_to_the_user(
    prefect_api: Server, tmp_path: Path
) -> None:
    spec = write_spec(tmp_path, "shop", {"api": LEAVE})
    environment = prefect_api.environment | {
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"), "PLAIT_STORE": str(tmp_path / "store"), "TERM": "xterm",
        "PREFECT_HOME": str(tmp_path / "prefect"),
    }  # fmt: skip
    plait = str(Path(sys.executable).with_name("plait"))
    code, said = talk([plait, "run", spec], environment, [])
    assert (code, "anonymous usage data" in said) == (0, False), "who has opted out is not told"
    # The session's server says that it wants no usage data, so nothing is sent by this run either.
    choosing = {name: value for name, value in environment.items() if name not in {"DO_NOT_TRACK", "CI"}}
    code, said = talk([plait, "run", spec], choosing, [])
    assert code == 0, said
    board_gone, summary = said.rindex("\x1b[?25h"), said.rindex("plait show shop")
    assert said.count("anonymous usage data") == 1
    assert board_gone < said.index("anonymous usage data") < summary
    assert "anonymous usage data" not in talk([plait, "run", spec], choosing, [])[1]
