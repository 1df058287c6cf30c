"""The two runs of tests compared: what counts as a difference, and whose file a test is."""

from collections.abc import Collection
from typing import Any

import pytest

from tasks.checks.junit import TestCase
from tasks.checks.second_pass import compare
from tasks.checks.test_files import TestFiles, is_test_file, to_put_back

FILES = {
    "tests/test_a.py": b"def test_one(): pass\ndef test_two(): pass\n",
    "tests/unit/test_b.py": b"class TestB:\n    def test_three(self): pass\n",
    "web/src/list.test.ts": b"test('lists', () => {})",
    "store/store_test.go": b"func TestPut(t *testing.T) {}",
    "store/load_test.go": b"func TestLoad(t *testing.T) {}",
    "src/test/java/shop/CartTest.java": b"class CartTest { @Test void adds() {} }",
}


def case(identity: str, outcome: Any = "passed", file: str | None = None, suite: str = "") -> TestCase:
    return TestCase(identity, outcome, file, suite)


@pytest.mark.parametrize(
    ("one", "file"),
    [
        (case("tests.test_a::test_one"), "tests/test_a.py"),
        (case("tests.unit.test_b.TestB::test_three"), "tests/unit/test_b.py"),
        (case("::tests.test_a", "errors"), "tests/test_a.py"),
        (case("src/list.test.ts::lists"), "web/src/list.test.ts"),
        (case("lists::lists", file="/somewhere/else/web/src/list.test.ts"), "web/src/list.test.ts"),
        (case("example.org/shop/store::TestPut"), "store/store_test.go"),
        (case("store::TestLoad/small"), "store/load_test.go"),
        (case("shop.CartTest::adds"), "src/test/java/shop/CartTest.java"),
        (case("store::[build failed]", "failed"), None),
        (case("nowhere::test_of_nobody"), None),
    ],
)
def test_a_test_has_a_file_of_its_own(one: TestCase, file: str | None) -> None:
    assert TestFiles(FILES, FILES.get).of(one) == file


def differences(merged: list[TestCase], again: list[TestCase], changed: Collection[str] = ()) -> list[Any]:
    found = compare(merged, again, TestFiles(FILES, FILES.get), changed)
    return [(one.test, one.how, one.edited) for one in found]


ONE = "tests.test_a::test_one"


@pytest.mark.parametrize(
    ("merged", "again", "changed", "found"),
    [
        ([case(ONE)], [case(ONE)], [], []),
        ([case(ONE)], [case(ONE, "failed")], [], [(ONE, "fails", False)]),
        ([case(ONE)], [case(ONE, "errors")], ["tests/test_a.py"], [(ONE, "fails", True)]),
        ([case(ONE)], [case(ONE, "failed")], ["tests/unit/test_b.py"], [(ONE, "fails", False)]),
        ([], [case(ONE)], [], [(ONE, "is-gone", False)]),
        ([], [case(ONE, "failed")], [], [(ONE, "is-gone", False)]),
        ([case(ONE, "skipped")], [case(ONE)], [], [(ONE, "is-skipped", False)]),
        ([case(ONE, "skipped")], [case(ONE, "failed")], ["tests/test_a.py"], [(ONE, "is-gone", True)]),
        ([], [case(ONE, "failed")], ["tests/test_a.py"], [(ONE, "is-gone", True)]),
        ([], [case(ONE)], ["tests/test_a.py"], [(ONE, "is-gone", True)]),
        ([], [case("::tests.test_a", "errors")], ["tests/test_a.py"], [("::tests.test_a", "is-gone", True)]),
        ([case(ONE, "skipped")], [case(ONE, "skipped")], [], []),
        ([case(ONE)], [case(ONE, "skipped")], [], []),
        ([case("tests.test_new::test_new")], [], [], []),
        ([case("store::TestPut")], [case("store::[build failed]", "failed")], [], [("store::[build failed]", "is-gone", False)]),
        ([case("store::TestPut")], [case("store::[build failed]", "failed")], ["store/store_test.go"], [("store::[build failed]", "is-gone", True)]),
        ([case("store::TestPut")], [case("store::[build failed]", "failed")], ["tests/test_a.py"], [("store::[build failed]", "is-gone", False)]),
    ],
)  # fmt: skip
def test_what_is_a_difference(merged: Any, again: Any, changed: Any, found: Any) -> None:
    assert differences(merged, again, changed) == found


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("tests/helpers/data.json", True), ("src/a_test.go", True), ("web/list.spec.tsx", True), ("lib/__mocks__/fs.js", True),
        ("src/test/java/A.java", True), ("spec/models/cart_spec.rb", True), ("app/models.py", False), ("contest.py", False),
        ("latest/index.js", False), ("docs/testing.md", False), ("src/attestation.go", False),
    ],
)  # fmt: skip
def test_the_usual_layouts_are_known(path: str, is_one: bool) -> None:
    assert is_test_file(path, ()) is is_one


def test_settings_of_tests_alone_are_put_back_and_manifests_are_not() -> None:
    changed = ["conftest.py", "pytest.ini", "jest.config.ts", "package.json", "pyproject.toml", "app.py", "checks/a.py"]
    assert list(to_put_back(changed, ("checks/**",))) == ["checks/a.py", "conftest.py", "jest.config.ts", "pytest.ini"]
