"""Make reports of real test runners in every state, and print what plait reads in each.

    python benchmarks/runner_reports.py [--python PYTHON] [--modules NODE_MODULES] [--into FOLDER] [RUNNER ...]

Each runner gets a small project in a temporary folder: without a test, with tests that pass, one that fails, one that
cannot be built or loaded, only skipped ones, and one that passes at its second try. A runner that is not there is not
run, and said so. With --into the reports are kept, paths and years made neutral, beside the exit code:
tests/tasks/checks/recorded/ is made so.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.runner_projects import RUNNERS, STATES, Runner
from contexts.spec.checks import Reports, TestsCheck
from tasks.checks.bench import Bench
from tasks.checks.run import run_on

EXPECTED = {
    "none": ("failed", "unverified"),
    "passed": ("passed",),
    "failed": ("failed",),
    "broken": ("failed",),
    "skipped": ("unverified", "failed"),
    "flaky": ("passed",),
}


def missing(runner: Runner, python: str, modules: Path) -> str:
    """Say what a runner needs and is not there; empty where all is."""
    for need in runner.needs:
        kind, _, name = need.rpartition(":")
        if kind == "py":
            there = subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0
        elif kind == "npm":
            there = (modules / name).is_dir()
        else:
            there = shutil.which(name) is not None or Path(name).is_file()
        if not there:
            return f"{name} is not installed"
    return ""


def make(runner: Runner, state: str, folder: Path, python: str, modules: Path) -> int:
    """Run a runner once; return its exit code."""
    (folder / "out").mkdir(parents=True)
    for name, text in {**runner.more, runner.test: runner.states[state]}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    if any(need.startswith("npm:") for need in runner.needs):
        (folder / "node_modules").symlink_to(modules)

    def fill(text: str) -> str:
        known = {"{out}": str(folder / "out"), "{bin}": str(modules / ".bin"), "{python}": python}
        for key, value in known.items():
            text = text.replace(key, value)
        return text

    env = {**os.environ, "CI": "true", "NO_COLOR": "1", **{name: fill(value) for name, value in runner.env.items()}}
    with (folder / "log.txt").open("wb") as log:
        done = subprocess.run(
            [fill(one) for one in runner.argv], cwd=folder, env=env, stdout=log, stderr=log, timeout=300, check=False
        )
    return done.returncode


def neutral(text: str, folder: Path, modules: Path, python: str) -> str:
    """Take out of a report what is of this machine, and put its times where they never become stale."""
    known = {str(folder): "/project", str(modules): "/modules", str(Path(python).parent.parent): "/python"}
    for path, name in known.items():
        text = text.replace(path, name).replace(path.lstrip("/"), name.lstrip("/"))
    text = re.sub(r'hostname="[^"]*"', 'hostname="host"', text)
    text = re.sub(r"<properties>.*?</properties>", _go_version, text, flags=re.DOTALL)
    return re.sub(r"(timestamp=[\"'])\d{4}", r"\g<1>2999", text)


def _go_version(found: re.Match[str]) -> str:
    kept = re.findall(r'<property name="go.version"[^>]*>(?:</property>)?', found[0])
    return f"<properties>{''.join(kept)}</properties>"


def read(kept: Path, code: int, scratch: Path) -> tuple[str, str, dict[str, object]]:
    """Return status, reason and counts that plait takes from a folder of reports and an exit code."""
    check = TestsCheck(
        id="this",
        kind="tests",
        argv=("sh", "-c", f'cp -R "$1"/. "$PLAIT_REPORTS" && exit {code}', "sh", str(kept)),
        reports=Reports(junit="*.xml"),
    )
    (scratch / "tree").mkdir(parents=True)
    bench = Bench(tree=scratch / "tree", place=scratch, folder=scratch, cancel=threading.Event(), seconds=60)
    judged = run_on(check, bench).judged
    tests = judged.result.tests
    counts = tests.to_json() if tests else {}
    return judged.status, judged.reason, {key: counts[key] for key in _SHOWN if key in counts}


_SHOWN = ("tests", "passed", "failed", "errors", "skipped", "flaky")


def main() -> int:
    """Make all reports; exit 1 where plait reads one otherwise than its state."""
    parser = argparse.ArgumentParser(description="Make reports of real test runners.")
    parser.add_argument("runners", nargs="*", help="only these")
    parser.add_argument("--python", default=sys.executable, help="interpreter with pytest and its like")
    parser.add_argument("--modules", type=Path, default=Path("node_modules"), help="folder of npm packages")
    parser.add_argument("--into", type=Path, help="folder to keep the reports in")
    options = parser.parse_args()
    modules = options.modules.absolute()
    wrong = 0
    for name, runner in RUNNERS.items():
        if options.runners and name not in options.runners:
            continue
        if why := missing(runner, options.python, modules):
            print(f"{name}: not run: {why}")
            continue
        for state in STATES:
            if state not in runner.states:
                print(f"{name} {state}: not run: it has no such state")
                continue
            with tempfile.TemporaryDirectory(prefix="plait-runner-") as place:
                folder = Path(place, "project")
                code = make(runner, state, folder, options.python, modules)
                kept = Path(place, "kept")
                kept.mkdir()
                for path in sorted(folder.glob(runner.reports)):
                    text = neutral(path.read_text("utf-8"), folder, modules, options.python)
                    (kept / path.name).write_text(text, encoding="utf-8")
                status, reason, counts = read(kept, code, Path(place, "read"))
                fits = status in EXPECTED[state]
                wrong += not fits
                mark = "" if fits else "  WRONG"
                print(f"{name} {state}: exit code {code}, {status} {reason} {counts}{mark}", flush=True)
                if not fits:
                    print((folder / "log.txt").read_text("utf-8", "replace")[-600:])
                if options.into:
                    target = options.into / name / state
                    shutil.rmtree(target, ignore_errors=True)
                    shutil.copytree(kept, target)
                    outcome = {"exit_code": code, "status": status, "counts": counts}
                    (target / "outcome.json").write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
