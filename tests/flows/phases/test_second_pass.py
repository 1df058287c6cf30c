"""The base commit's tests over the merged product: what makes a suite green is found out, what is honest is not."""

import shutil
from pathlib import Path

import pytest

from contexts.documents.base import JsonObject
from tests.flows.checked import TEST, UNIT, Workflow
from tests.servers import Server

WRONG = "def add(a, b):\n    return a - b\n"
LIE = "import pytest\n@pytest.fixture(autouse=True)\ndef right(monkeypatch):\n    import {0}\n    monkeypatch.setattr({0}, 'add', lambda a, b: 3)\n"
NODE: JsonObject = {
    "id": "unit", "kind": "tests", "reports": {"junit": "junit.xml"},
    "argv": ["node", "--test", "--test-reporter=junit", "--test-reporter-destination={reports}/junit.xml", "test/"],
}  # fmt: skip


@pytest.fixture
def workflow(prefect_api: Server, workspaces: Path, tmp_path: Path) -> Workflow:
    del prefect_api, workspaces
    return Workflow(tmp_path)


def second(workflow: Workflow, name: str) -> JsonObject:
    return workflow.final(name)["evidence"][0].get("second_pass", {})


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"tests/conftest.py": LIE.format("tests.test_app")}, id="a fixture"),
        pytest.param({"conftest.py": "import app\napp.add = lambda a, b: 3\n"}, id="a patch at the top"),
        pytest.param({"tests/support.py": "def sum_of(a, b): return 3\n"}, id="a helper"),
        pytest.param({"tests/test_a_first.py": "import app\napp.add = lambda a, b: 3\ndef test_a(): pass\n"}, id="a new test"),
        pytest.param({"tests/test_again.py": "import app\napp.add = lambda a, b: 3\ndef test_other(): pass\n"}, id="another file's test"),
        pytest.param({"tests/conftest.py": "import pytest\ndef pytest_collection_modifyitems(items):\n    [i.add_marker(pytest.mark.skip) for i in items if 'add' in i.name]\n"}, id="a skip"),
        pytest.param({"tests/conftest.py": "collect_ignore = ['test_app.py']\n"}, id="a test that is not collected"),
    ],
)  # fmt: skip
def test_what_only_tests_and_their_settings_make_green_is_found_out(
    workflow: Workflow, files: dict[str, str | None]
) -> None:
    helped = (
        "from app import add\nfrom tests.support import sum_of\ndef test_sum(): assert sum_of(1, 2) == add(1, 2) == 3\n"
    )
    base = {"tests/__init__.py": "", "tests/support.py": "from app import add as sum_of\n", "tests/test_app.py": TEST}
    if "tests/support.py" in files:
        base |= {"tests/test_app.py": helped.replace("== add(1, 2) ", "")}
    workflow.commit(base | {"tests/test_again.py": "def test_other(): pass\n"})
    spec = workflow.spec("lie", {"api": {"app.py": WRONG, **files}}, UNIT)
    workflow.run(spec)
    final = workflow.final("lie")
    assert final["run"]["status"] == "verification-failed", final["findings"]
    assert second(workflow, "lie")["status"] == "differs"
    found = next(one for one in final["findings"] if one["rule"] == "evidence/second-pass")
    assert found["severity"] == "blocking"
    quoted = [one for one in found["sources"] if one["pointer"] in files]
    assert quoted
    assert "+" in quoted[0]["quote"]


def test_honest_work_on_tests_is_verified(workflow: Workflow) -> None:
    fixture = "import pytest\n@pytest.fixture\ndef three(): return 3\n"
    new = "from app import add\ndef test_three(three): assert add(1, 2) == three\n"
    workflow.run(workflow.spec("new", {"api": {"tests/conftest.py": fixture, "tests/test_new.py": new}}, UNIT))
    final = workflow.final("new")
    assert final["run"]["status"] == "verified", final["findings"]
    assert second(workflow, "new") | {"seconds": 0, "log": 0, "report": 0, "diff": 0} == {
        "status": "same", "put_back": 2, "tests": 1, "exit_code": 0, "seconds": 0, "log": 0, "report": 0, "diff": 0,
    }  # fmt: skip
    assert not final["findings"]


def test_a_test_that_a_track_edited_is_a_warning_with_its_diff(workflow: Workflow) -> None:
    files = {
        "app.py": "def add(a, b):\n    return float(a + b)\n",
        "tests/test_app.py": "from app import add\ndef test_add(): assert str(add(1, 2)) == '3.0'\n",
    }
    workflow.commit({"tests/test_app.py": "from app import add\ndef test_add(): assert str(add(1, 2)) == '3'\n"})
    workflow.run(workflow.spec("edited", {"api": dict(files)}, UNIT))
    final = workflow.final("edited")
    assert final["run"]["status"] == "verified", final["findings"]
    (found,) = final["findings"]
    assert (found["rule"], found["severity"]) == ("evidence/test-edited", "warning")
    assert "-def test_add(): assert str(add(1, 2)) == '3'" in found["sources"][1]["quote"]


def test_what_cannot_be_compared_is_said_and_settings_block_then(workflow: Workflow) -> None:
    workflow.commit({"tests/conftest.py": "import missing_at_all\n"})
    workflow.run(workflow.spec("alone", {"api": {"tests/conftest.py": "import app\n"}}, UNIT))
    final = workflow.final("alone")
    assert {(one["rule"], one["severity"]) for one in final["findings"]} == {
        ("evidence/not-comparable", "warning"), ("evidence/check-changed", "blocking"),
    }  # fmt: skip
    assert final["run"]["status"] == "verification-failed"


def test_a_check_whose_tests_are_all_new_has_nothing_to_be_compared_with(workflow: Workflow) -> None:
    argv = [one if one != "tests" else "journeys" for one in UNIT["argv"]]
    check = {**UNIT, "argv": argv, "tests": ["journeys/**", "tests/**"]}
    new = {
        "journeys/conftest.py": "import pytest\n@pytest.fixture\ndef three(): return 3\n",
        "journeys/test_it.py": "from app import add\ndef test_it(three): assert add(1, 2) == three\n",
    }
    workflow.run(workflow.spec("journeys", {"api": dict(new)}, check))
    assert second(workflow, "journeys")["status"] == "not-run"
    assert workflow.final("journeys")["run"]["status"] == "verified", workflow.final("journeys")["findings"]


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("more", [{}, {"tests/conftest.py": "collect_ignore = ['test_app.py']\n"}])
def test_a_product_that_ends_the_tests_of_the_base_is_found_out(
    workflow: Workflow, code: int, more: dict[str, str | None]
) -> None:
    files = {
        "app.py": f"import os, sys\nhasattr(sys, 'told') or os._exit({code})\ndef add(a, b):\n    return 3\n",
        "tests/test_aaa.py": "import sys\nsys.told = True\nimport app\ndef test_told(): pass\n",
        **more,
    }
    workflow.run(workflow.spec("ends", {"api": dict(files)}, UNIT))
    final = workflow.final("ends")
    assert final["run"]["status"] == "verification-failed", final["findings"]
    assert "evidence/second-pass" in workflow.rules("ends")


def test_a_product_that_hangs_in_the_second_pass_is_found_out(workflow: Workflow) -> None:
    files = {
        "app.py": "import sys, threading\nhasattr(sys, 'told') or threading.Event().wait()\ndef add(a, b):\n    return 3\n",
        "tests/test_aaa.py": "import sys\nsys.told = True\ndef test_told(): pass\n",
    }
    workflow.run(workflow.spec("hangs", {"api": dict(files)}, {**UNIT, "timeout_minutes": 0.1}))
    final = workflow.final("hangs")
    assert "evidence/second-pass" in workflow.rules("hangs"), final["evidence"]
    assert "deadline" in second(workflow, "hangs")["reason"]


def test_what_else_was_changed_is_shown_beside_an_edited_test(workflow: Workflow) -> None:
    files = {
        "app.py": WRONG,
        "tests/test_app.py": f"{TEST}# a word\n",
        "tests/conftest.py": "import app\napp.add = lambda a, b: 3\n",
    }
    workflow.run(workflow.spec("beside", {"api": dict(files)}, UNIT))
    found = next(one for one in workflow.final("beside")["findings"] if one["rule"] == "evidence/test-edited")
    shown = [one["pointer"] for one in found["sources"] if one["document"] == "integrated tree"]
    assert shown == ["tests/test_app.py", "tests/conftest.py"]


def test_files_of_odd_names_are_put_back(workflow: Workflow) -> None:
    odd = ["tests/:(top)a*.txt", "tests/-b.txt", "tests/d [1].txt", "tests/caf\udce9.txt"]
    workflow.commit(dict.fromkeys(odd, "base"))
    files: dict[str, str | None] = dict.fromkeys(odd, "track")
    workflow.run(workflow.spec("odd", {"api": {**files, "tests/test_new.py": "def test_new(): pass\n"}}, UNIT))
    assert workflow.final("odd")["run"]["status"] == "verified", workflow.final("odd")
    assert second(workflow, "odd")["status"] == "same"


def test_nothing_is_run_twice_where_no_test_was_touched_or_it_is_off(workflow: Workflow) -> None:
    workflow.run(workflow.spec("untouched", {"api": {"more.py": "A = 1\n"}}, UNIT))
    assert second(workflow, "untouched")["status"] == "not-run"
    workflow.run(
        workflow.spec("off", {"api": {"tests/test_more.py": "def test_more(): pass\n"}}, {**UNIT, "second_pass": "off"})
    )
    assert second(workflow, "off") == {}


@pytest.mark.skipif(shutil.which("node") is None, reason="not run: there is no node")
def test_it_works_in_another_language(workflow: Workflow) -> None:
    helper = "exports.check = (a, b) => { if (a !== b) throw new Error('differs'); };\n"
    test = "const test = require('node:test');\nconst { check } = require('./check');\nconst { add } = require('../add');\ntest('adds', () => check(add(1, 2), 3));\n"
    workflow.commit({"test/check.js": helper, "test/add.test.js": test, "add.js": "exports.add = (a, b) => a + b;\n"})
    lie = {"add.js": "exports.add = (a, b) => a - b;\n", "test/check.js": "exports.check = () => {};\n"}
    workflow.run(workflow.spec("node", {"api": dict(lie)}, NODE))
    assert "evidence/second-pass" in workflow.rules("node")
    more = {"add.js": "exports.add = (a, b) => b + a;\n", "test/more.test.js": test.replace("adds", "more")}
    workflow.run(workflow.spec("good", {"api": dict(more)}, NODE))
    assert workflow.final("good")["run"]["status"] == "verified", workflow.final("good")["findings"]
