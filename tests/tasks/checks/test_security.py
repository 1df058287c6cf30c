"""Security: the real scanners on real files; what was there before does not count, what could not run is not run."""

from pathlib import Path

import pytest

from contexts.documents.figures import ScannerResult
from tasks.checks.results import CheckRun
from tests.tasks.checks.conftest import RunCheck, write

WEAK = "import subprocess\n\ndef run(command):\n    return subprocess.call(command, shell=True)\n"
KEY = "AKIA" + "IOSFODNN7EXAMPLE"[:12] + "QQQQ"
SECRET = f'aws_key = "{KEY}"\n'


def scan(run_check: RunCheck, *tools: str, base: Path | None = None, **fields: object) -> CheckRun:
    return run_check(kind="security", tools=tools, base=base, **fields)


def tools(ran: CheckRun) -> dict[str, ScannerResult]:
    assert ran.judged.result.security is not None
    return dict(ran.judged.result.security.tools)


def tool(ran: CheckRun, name: str) -> ScannerResult:
    return tools(ran)[name]


def test_a_weakness_is_named_with_its_place(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"src/run.py": WEAK})
    ran = scan(run_check, "bandit", paths=("src",))
    assert ran.judged.status == "failed"
    assert "bandit: 1 new finding of high severity, at most 0 may be: B602 src/run.py:4" in ran.judged.reason
    assert tool(ran, "bandit").high == 1
    assert (tool(ran, "bandit").findings or ())[0].path == "src/run.py"


def test_code_without_a_weakness_passes(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"src/add.py": "def add(a, b):\n    return a + b\n"})
    ran = scan(run_check, "bandit", "detect-secrets", paths=("src",))
    assert ran.judged.status == "passed", ran.judged.reason
    assert {name: one.status for name, one in tools(ran).items()} == {
        "bandit": "passed",
        "detect-secrets": "passed",
    }


def test_a_secret_is_found_also_outside_a_repository_and_never_repeated(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"deploy/settings.py": SECRET})
    ran = scan(run_check, "detect-secrets")
    assert ran.judged.status == "failed"
    assert "deploy/settings.py:1" in ran.judged.reason
    said = repr((ran.judged, [step.text for step in ran.steps]))
    assert KEY not in said


def test_what_the_base_commit_already_had_does_not_count(run_check: RunCheck, tree: Path, tmp_path: Path) -> None:
    base = write(tmp_path / "base", {"src/run.py": WEAK})
    write(tree, {"src/run.py": "# moved down\n\n" + WEAK})
    ran = scan(run_check, "bandit", paths=("src",), base=base)
    assert ran.judged.status == "passed", ran.judged.reason
    assert (tool(ran, "bandit").known or 0) >= 1
    write(tree, {"src/other.py": WEAK})
    ran = scan(run_check, "bandit", paths=("src",), base=base)
    assert ran.judged.status == "failed"
    assert "src/other.py:4" in ran.judged.reason
    assert "src/run.py" not in ran.judged.reason


def test_without_a_baseline_everything_counts(run_check: RunCheck, tree: Path, tmp_path: Path) -> None:
    base = write(tmp_path / "base", {"src/run.py": WEAK})
    write(tree, {"src/run.py": WEAK})
    assert scan(run_check, "bandit", paths=("src",), base=base, baseline=False).judged.status == "failed"


def test_code_a_scanner_cannot_read_is_unverified(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"src/broken.py": "def (:\n"})
    judged = scan(run_check, "bandit", paths=("src",)).judged
    assert judged.status == "unverified"
    assert "could not read" in judged.reason


@pytest.mark.parametrize("paths", [("src",), (".",)])
def test_nothing_to_scan_is_unverified(run_check: RunCheck, tree: Path, paths: tuple[str, ...]) -> None:
    write(tree, {"README.md": "no code"})
    judged = scan(run_check, "bandit", paths=paths).judged
    assert judged.status == "unverified"


def test_a_scanner_that_is_not_installed_is_not_run(run_check: RunCheck, tree: Path) -> None:
    write(tree, {"fake/python": '#!/bin/sh\nexec python3 -I -S "$@"\n'})
    (tree / "fake" / "python").chmod(0o755)
    ran = scan(run_check, "bandit", argv=("./fake/python", "-m"))
    assert ran.judged.status == "unverified"
    assert "not run: bandit is not installed" in ran.judged.reason
    assert tool(ran, "bandit").to_json() == {"status": "not run"}


def test_pip_audit_without_an_answer_from_the_network_is_not_run(run_check: RunCheck, tree: Path) -> None:
    """Where pip-audit is installed it finds no service behind a closed port; where it is not, that is said."""
    write(tree, {"requirements.txt": "requests==2.0.0\n"})
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")
    ran = scan(run_check, "pip-audit", requirements=("requirements.txt",), env=nowhere)
    assert ran.judged.status == "unverified"
    assert "not run" in ran.judged.reason
    assert tool(ran, "pip-audit").to_json() == {"status": "not run"}


@pytest.mark.parametrize("shadow", ["bandit.py", "bandit/__main__.py", "stevedore.py"])
def test_a_scanner_that_lies_in_the_tree_is_not_the_one_that_runs(run_check: RunCheck, tree: Path, shadow: str) -> None:
    clean = 'print(\'{"errors": [], "metrics": {"_totals": {}, "a": {}}, "results": []}\')\nraise SystemExit(0)\n'
    write(
        tree,
        {"src/run.py": WEAK, shadow: clean, "bandit/__init__.py": ""}
        if "/" in shadow
        else {"src/run.py": WEAK, shadow: clean},
    )
    assert scan(run_check, "bandit", paths=("src",)).judged.status == "failed"
