"""What a check rests on is fixed by the base commit; a track that changes it must be seen, one that does its work must not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contexts.documents.findings import Finding
from contexts.verification.open_items import fingerprint
from tasks.checks.own_files import changed_files
from tests.tasks.checks.conftest import make_check, write

PYTEST = ("{python}", "-m", "pytest", "-q", "tests")
SCRIPT = ("{python}", "tools/run_tests.py", "--reports", "{reports}")
BASE = {
    "Makefile": "test:\n\tpytest tests\n",
    "pyproject.toml": '[project]\ndependencies = ["a"]\n[tool.pytest.ini_options]\ntestpaths = ["tests"]\n[tool.ruff]\nline-length = 100\n',
    "package.json": '{"dependencies": {}, "scripts": {"test": "jest"}}',
    "setup.cfg": "[metadata]\nname = x\n[tool:pytest]\naddopts = -x\n",
    "tools/run_tests.py": "import coverage\nimport pytest\nimport shared\nfrom app import thing\n",
    "tools/shared.py": "A = 1\n",
    "src/app.py": "thing = 1\n",
    "tests/conftest.py": "",
    "tests/test_old.py": "def test_old(): pass\n",
    "tests/data.txt": "x",
    "ruff.toml": "",
    "frontend/package.json": '{"scripts": {"test": "jest"}}',
    "Cargo.toml": '[package]\nname = "x"\n[dependencies]\na = "1"\n',
}


def found(tmp_path: Path, argv: tuple[str, ...], now: Mapping[str, str | None], **fields: Any) -> list[Finding]:
    """What is said when a track turns the base into ``now`` (None: it removed the file)."""
    after = {name: text for name, text in {**BASE, **now}.items() if text is not None}
    tree = write(tmp_path / "tree", after)
    how = {
        name: "added" if name not in BASE else "removed" if text is None else "changed" for name, text in now.items()
    }
    check = make_check(**{"kind": "tests", "argv": argv, **fields})

    def contents(path: str) -> tuple[bytes | None, bytes | None]:
        before = BASE[path].encode() if path in BASE else None
        return before, after[path].encode() if path in after else None

    return list(
        changed_files(check, tree, how, {"web": tuple(now), "api": ("src/app.py",)}, contents, (("make", "deps"),))
    )  # type: ignore[arg-type]


def rules(said: list[Finding]) -> set[str]:
    return {one.rule.removeprefix("evidence/") for one in said if one.severity == "blocking"}


WITHOUT_SECOND_PASS = [
    pytest.param(PYTEST, {"pytest.ini": "[pytest]\naddopts = --collect-only\n"}, id="settings that win over those there are"),
    pytest.param(PYTEST, {"tests/pytest.ini": "[pytest]\n"}, id="settings beside the tests that are named"),
    pytest.param(PYTEST, {"tests/conftest.py": "collect_ignore = ['test_old.py']\n"}, id="the conftest there was"),
    pytest.param(PYTEST, {"tests/new/conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 0\n"}, id="a hook in a new conftest"),
    pytest.param(PYTEST, {"tests/new/conftest.py": "from hooks import pytest_runtest_makereport\n"}, id="a hook that is imported"),
    pytest.param(PYTEST, {"tests/new/conftest.py": "pytest_plugins = ['x']\n"}, id="a plugin"),
    pytest.param(PYTEST, {"tests/new/conftest.py": "def (:"}, id="a conftest that cannot be read"),
    pytest.param(("npx", "jest"), {"jest.config.js": ""}, id="settings of another tool"),
]  # fmt: skip


@pytest.mark.parametrize(("argv", "now"), WITHOUT_SECOND_PASS)
def test_settings_of_tests_alone_are_told_where_the_base_commit_s_own_are_put_back(
    tmp_path: Path, argv: tuple[str, ...], now: dict[str, str | None]
) -> None:
    (said,) = found(tmp_path / "auto", argv, now)
    assert (said.rule, said.severity) == ("evidence/check-changed", "warning")
    assert "second pass" in said.message
    for other in ({"second_pass": "off"}, {"files": tuple(now)}):
        assert rules(found(tmp_path / "off", argv, now, **other)) == {"check-changed"}


@pytest.mark.parametrize(
    ("argv", "now"),
    [
        pytest.param(PYTEST, {"pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-k nothing"\n'}, id="a tool's section"),
        pytest.param(PYTEST, {"pyproject.toml": "[[[not toml"}, id="settings that cannot be read"),
        pytest.param(PYTEST, {"setup.cfg": "[tool:pytest]\naddopts = -k nothing\n"}, id="a section of setup.cfg"),
        pytest.param(PYTEST, {"pytest.py": "raise SystemExit(0)\n"}, id="a module in the place of the tool"),
        pytest.param(PYTEST, {"random.py": ""}, id="a module in the place of one the tool imports"),
        pytest.param(PYTEST, {"sitecustomize.py": ""}, id="what every Python runs at its start"),
        pytest.param(PYTEST, {"src/usercustomize.py": ""}, id="the same, on a path the check may set"),
        pytest.param(SCRIPT, {"tools/run_tests.py": "raise SystemExit(0)\n"}, id="the script"),
        pytest.param(SCRIPT, {"tools/run_tests.py": None}, id="the script, removed"),
        pytest.param(SCRIPT, {"tools/coverage.py": "ok = True\n"}, id="a module beside the script, in the place of a library"),
        pytest.param(SCRIPT, {"tools/shared.py": "A = 2\n"}, id="a module beside the script that it imports"),
        pytest.param(("make", "test"), {"Makefile": "test:\n\ttrue\n"}, id="the Makefile"),
        pytest.param(("make", "test"), {"GNUmakefile": "test:\n\ttrue\n"}, id="a Makefile that is found first"),
        pytest.param(("sh", "-c", "make test && echo ok"), {"Makefile": "test:\n\ttrue\n"}, id="a Makefile within a shell line"),
        pytest.param(PYTEST, {"Makefile": "deps:\n\ttrue\n"}, id="what prepares the tree"),
        pytest.param(("npm", "test"), {"package.json": '{"scripts": {"test": "true"}}'}, id="a script of package.json"),
        pytest.param(("cargo", "test"), {"Cargo.toml": "[package]\nautotests = false\n"}, id="a manifest that leaves tests out"),
        pytest.param(("poetry", "run", "pytest"), {"pyproject.toml": BASE["pyproject.toml"] + "[tool.poetry]\npackages = []\nname = 'x'\n"}, id="a runner's section"),
        pytest.param(("ruff", "check", "."), {"ruff.toml": "lint.ignore = ['ALL']"}, id="a linter's settings"),
        pytest.param(("ruff", "check", "."), {"pyproject.toml": "[tool.ruff]\nline-length = 900\n"}, id="a linter's section"),
        pytest.param(("mypy", "--config-file=checks/mypy.ini", "src"), {"checks/mypy.ini": ""}, id="a named configuration"),
    ],
)  # fmt: skip
def test_what_decides_a_check_is_its_own(tmp_path: Path, argv: tuple[str, ...], now: dict[str, str | None]) -> None:
    said = found(tmp_path, argv, now)
    assert rules(said) == {"check-changed"}
    (one,) = said
    assert "track web" in one.message
    assert next(iter(now)) in one.message


@pytest.mark.parametrize(
    ("argv", "now"),
    [
        pytest.param(PYTEST, {"src/app.py": "thing = 2\n", "src/new.py": ""}, id="the product"),
        pytest.param(PYTEST, {"tests/test_new.py": "", "tests/new/test_more.py": "", "tests/data.txt": "y"}, id="new tests and data"),
        pytest.param(PYTEST, {"tests/new/conftest.py": "import pytest\n@pytest.fixture\ndef member(): ...\n"}, id="new fixtures"),
        pytest.param(PYTEST, {"pyproject.toml": BASE["pyproject.toml"].replace('["a"]', '["a", "b"]')}, id="a dependency"),
        pytest.param(PYTEST, {"setup.cfg": BASE["setup.cfg"].replace("name = x", "name = y")}, id="metadata"),
        pytest.param(PYTEST, {"ruff.toml": "line-length = 90"}, id="settings of a tool that does not run"),
        pytest.param(PYTEST, {"frontend/jest.config.js": ""}, id="settings of another part"),
        pytest.param(PYTEST, {"src/random.py": ""}, id="a name of the standard library inside a package"),
        pytest.param(("npm", "test"), {"package.json": '{"dependencies": {"a": "1"}, "scripts": {"test": "jest"}}'}, id="a package"),
        pytest.param(("pytest", "tests/test_feature.py"), {"tests/test_feature.py": ""}, id="the tests a track is to write"),
        pytest.param(("{python}", "-m", "py_compile", "src/app.py"), {"src/app.py": "thing = 2\n"}, id="what a tool is pointed at"),
        pytest.param(SCRIPT, {"tools/other.py": "", "src/coverage.py": ""}, id="modules the script does not see"),
        pytest.param(("make", "test"), {"docs/Makefile": ""}, id="another part's Makefile"),
        pytest.param(("cargo", "test"), {"Cargo.toml": '[package]\nname = "x"\n[dependencies]\na = "2"\n[dev-dependencies]\nb = "1"\n'}, id="a crate"),
        pytest.param(("poetry", "run", "pytest"), {"pyproject.toml": BASE["pyproject.toml"] + "[tool.poetry.group.dev.dependencies]\na = '1'\n"}, id="a dependency of a group"),
    ],
)  # fmt: skip
def test_the_work_of_a_track_is_not(tmp_path: Path, argv: tuple[str, ...], now: dict[str, str | None]) -> None:
    assert found(tmp_path, argv, now) == []


def test_files_the_spec_names_are_a_check_s_own(tmp_path: Path) -> None:
    said = found(tmp_path, PYTEST, {"tests/data.txt": "y"}, files=("tests/*.txt",))
    assert rules(said) == {"check-changed"}


def test_tests_that_are_gone_need_a_waiver_and_changed_ones_are_told(tmp_path: Path) -> None:
    said = found(tmp_path, PYTEST, {"tests/test_old.py": None})
    assert rules(said) == {"tests-removed"}
    assert "track web removed 1 file of tests" in said[0].message
    (changed,) = found(tmp_path, PYTEST, {"tests/test_old.py": "def test_old(): assert True\n"})
    assert (changed.rule, changed.severity) == ("evidence/tests-changed", "warning")
    assert found(tmp_path, ("echo",), {"tests/test_old.py": None}, kind="command") == []


def test_a_file_of_tests_that_only_has_another_name_is_not_gone(tmp_path: Path) -> None:
    old = BASE["tests/test_old.py"]
    assert found(tmp_path, PYTEST, {"tests/test_old.py": None, "tests/test_other.py": old}) == []


@pytest.mark.parametrize(
    "now",
    [
        pytest.param({"tests/test_other.py": "def test_old(): assert True\n"}, id="other contents"),
        pytest.param({"tests/old.py": BASE["tests/test_old.py"]}, id="a name that no test has"),
        pytest.param({"tests/test_old.bak": BASE["tests/test_old.py"]}, id="a name that is no program's"),
        pytest.param(
            {"tests/old_test.py": BASE["tests/test_old.py"]}, id="a name by which not every tool knows a test"
        ),
        pytest.param({"archive/test_old.py": BASE["tests/test_old.py"]}, id="where the command does not look"),
        pytest.param(
            {"tests/build/test_old.py": BASE["tests/test_old.py"]}, id="where the tool does not look by itself"
        ),
        pytest.param({"tests/slow/test_old.py": BASE["tests/test_old.py"]}, id="where the command is told not to look"),
    ],
)
def test_a_file_of_tests_that_may_no_longer_run_is_gone(tmp_path: Path, now: dict[str, str | None]) -> None:
    argv = (*PYTEST, "--ignore", "tests/slow")
    assert rules(found(tmp_path, argv, {"tests/test_old.py": None, **now})) == {"tests-removed"}


@pytest.mark.parametrize(
    "argv",
    [
        ("test", "-s", "page.txt"),
        ("[", "-f", "page.txt", "]"),
        ("grep", "-q", "ok", "page.txt"),
        ("jq", "-e", ".ok", "page.txt"),
    ],
)
def test_what_a_command_only_looks_at_is_the_product(tmp_path: Path, argv: tuple[str, ...]) -> None:
    assert found(tmp_path, argv, {"page.txt": "ok\n"}, kind="command") == []


@pytest.mark.parametrize(
    "argv",
    [
        ("grep", "-q", "-f", "tests/data.txt", "page.txt"),
        ("grep", "-vxFf", "tests/data.txt", "page.txt"),
        ("grep", "--file", "tests/data.txt", "page.txt"),
        ("jq", "-e", "--slurpfile", "want", "tests/data.txt", ". == $want", "page.txt"),
        ("tools/test", "tests/data.txt"),
    ],
)
def test_what_decides_what_a_command_sees_is_its_own(tmp_path: Path, argv: tuple[str, ...]) -> None:
    said = found(tmp_path, argv, {"tests/data.txt": "", "page.txt": "x"}, kind="command")
    assert [one.sources[0].quote for one in said if one.rule == "evidence/check-changed"] == ["tests/data.txt"]


def test_what_the_spec_names_is_a_check_s_own_also_where_its_command_only_looks_at_it(tmp_path: Path) -> None:
    said = found(
        tmp_path, ("jq", "-e", ".", "tests/data.txt"), {"tests/data.txt": "y"}, kind="command", files=("tests/*",)
    )
    assert rules(said) == {"check-changed"}


@pytest.mark.parametrize(
    "choice", [("-k", "not slow"), ("--ignore-glob=*_slow.py",), ("--deselect", "tests/test_new.py")]
)
def test_another_name_is_another_file_of_tests_where_the_command_chooses_by_names(
    tmp_path: Path, choice: tuple[str, ...]
) -> None:
    now = {"tests/test_old.py": None, "tests/test_old_slow.py": BASE["tests/test_old.py"]}
    assert rules(found(tmp_path, (*PYTEST, *choice), now)) == {"tests-removed"}


def test_one_copy_stands_for_one_file_of_tests(tmp_path: Path) -> None:
    twins = {**BASE, "tests/test_twin.py": BASE["tests/test_old.py"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BASE, "tests/test_twin.py", twins["tests/test_twin.py"])
        gone = {"tests/test_old.py": None, "tests/test_twin.py": None, "tests/test_new.py": BASE["tests/test_old.py"]}
        (said,) = found(tmp_path, PYTEST, gone)
    assert (said.rule, "removed 1 file of tests" in said.message) == ("evidence/tests-removed", True)


def test_a_waiver_of_one_change_does_not_cover_another_of_the_same_file(tmp_path: Path) -> None:
    marks = {fingerprint(found(tmp_path, ("make",), {"Makefile": text})[0]) for text in ("a:\n", "b:\n")}
    assert len(marks) == 2


def test_the_openapi_file_a_contract_check_reads_is_the_product(tmp_path: Path) -> None:
    assert found(tmp_path, (), {"openapi.json": "{}"}, kind="contract", path="openapi.json") == []


def test_a_scanner_in_the_tree_is_told(tmp_path: Path) -> None:
    said = found(tmp_path, ("{python}", "-m"), {"bandit.py": "", ".bandit": ""}, kind="security")
    assert {one.sources[0].quote for one in said} == {"bandit.py", ".bandit"}


@pytest.mark.parametrize("program", ["pass\n" * 60, "x" * 300, "ü" * 200, "a/" + "b" * 256, "y" * 5_000])
def test_a_program_given_as_text_is_no_file_of_the_check_however_long_it_is(tmp_path: Path, program: str) -> None:
    for argv in (("{python}", "-c", program), ("sh", "-c", f"{program}; exit 0"), ("make", f"CODE={program}")):
        assert found(tmp_path / argv[0].strip("{}"), argv, {"src/app.py": "changed"}) == []


STARTS = {
    "app.py": (("{python}", "app.py", "{port}"), ("python3", "-u", "./app.py"), ("flask", "--app", "app.py", "run")),
    "app/__main__.py": (("{python}", "-m", "app", "--port", "{port}"),),
    "app/main.py": (("uvicorn", "app.main:app", "--port", "{port}"), ("{python}", "-c", "import app.main; app.main.run()")),
    "server.js": (("node", "server.js"), ("node", "--enable-source-maps", "server.js")),
    "start.sh": (("bash", "start.sh"), ("./start.sh",), ("sh", "-c", "./start.sh")),
    "package.json": (("npm", "start"),),
    "Makefile": (("make", "serve"),),
    "cmd/server/main.go": (("go", "run", "./cmd/server"), ("go", "run", "cmd/server/main.go")),
    "docker-entrypoint.sh": (("./docker-entrypoint.sh", "serve"),),
    "scripts/print_openapi.py": (("{python}", "scripts/print_openapi.py"),),
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {"performance": {"requests": ({"path": "/"},)}, "contract": {}}


@pytest.mark.parametrize(("path", "argv"), [(path, argv) for path, forms in STARTS.items() for argv in forms])
@pytest.mark.parametrize("kind", KINDS)
def test_what_starts_the_product_is_the_product(tmp_path: Path, kind: str, path: str, argv: tuple[str, ...]) -> None:
    now = {path: "another", "sitecustomize.py": "", "settings.toml": "a = 1\n"}
    assert found(tmp_path / "open", argv, now, kind=kind, **KINDS[kind]) == []
    named = found(tmp_path / "named", argv, now, kind=kind, files=("settings.*",), **KINDS[kind])
    assert [one.sources[0].quote for one in named] == ["settings.toml"]


CHECKS = {
    "check.py": (("{python}", "check.py"), ("python3", "-u", "./check.py"), ("{python}", "-m", "check")),
    "check/__main__.py": (("{python}", "-m", "check"),),
    "check.js": (("node", "check.js"), ("node", "--no-warnings", "check.js")),
    "check.sh": (("bash", "check.sh"), ("./check.sh",)),
    "package.json": (("npm", "run", "check"),),
    "Makefile": (("make", "check"),),
    "tools/check": (("tools/check", "app"),),
}
NEEDS: dict[str, dict[str, Any]] = {
    "command": {}, "tests": {}, "coverage": {}, "security": {}, "migrations": {},
}  # fmt: skip


@pytest.mark.parametrize(("path", "argv"), [(path, argv) for path, forms in CHECKS.items() for argv in forms])
@pytest.mark.parametrize("kind", NEEDS)
def test_what_the_check_is_is_its_own(tmp_path: Path, kind: str, path: str, argv: tuple[str, ...]) -> None:
    text = '{"scripts": {"check": "true"}}' if path.endswith(".json") else "another"
    said = found(tmp_path / "wrong", argv, {path: text}, kind=kind)
    assert [(one.severity, one.sources[0].quote) for one in said] == [("blocking", path)]
    assert (
        found(tmp_path / "honest", argv, {"src/app.py": "thing = 2\n", "app.py": "", "server.js": ""}, kind=kind) == []
    )
