"""Small projects for test runners: one file of tests per state, and how it is told to leave a report."""

from collections.abc import Mapping
from dataclasses import dataclass, field

STATES = ("none", "passed", "failed", "broken", "skipped", "flaky")
"""No test; all passed; one failed; it could not be built or loaded; all skipped; one passed at its second try."""


@dataclass(frozen=True)
class Runner:
    """One runner.

    Attributes:
        needs: Programs, ``py:`` modules and ``npm:`` packages without which it cannot run.
        argv: Its command; ``{out}`` is the folder for its reports, ``{bin}`` that of the npm programs.
        reports: Glob of the reports, below the project's folder.
        test: Name of the file of tests.
        states: Its content by state; a state that the runner does not have is left out.
        more: Other files.
        env: Variables.
    """

    needs: tuple[str, ...]
    argv: tuple[str, ...]
    test: str
    states: Mapping[str, str]
    reports: str = "out/**/*.xml"
    more: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


def _python(good: str, bad: str, skip: str, head: str = "") -> dict[str, str]:
    return {
        "none": head,
        "passed": head + good,
        "failed": head + good + bad,
        "broken": head + good + "import nowhere_to_be_found\n",
        "skipped": head + skip,
    }


UNITTEST = _python(
    "class Good(unittest.TestCase):\n    def test_good(self): pass\n",
    "class Bad(unittest.TestCase):\n    def test_bad(self): self.assertEqual(1, 2)\n",
    "class Later(unittest.TestCase):\n    @unittest.skip('later')\n    def test_later(self): pass\n",
    "import unittest\n",
)
PYTEST = _python(
    "def test_good(): pass\n",
    "def test_bad(): assert 1 == 2\n",
    "@pytest.mark.skip\ndef test_later(): pass\n",
    "import pytest\n",
)


def _script(head: str, good: str, bad: str, skip: str, broken: str = "syntax error here (") -> dict[str, str]:
    return {
        "none": head,
        "passed": head + good,
        "failed": head + good + bad,
        "broken": head + good + broken,
        "skipped": head + skip,
    }


PYTEST_FLAKY = """import pytest
tries = []
@pytest.mark.flaky(reruns=2)
def test_wavers():
    tries.append(1)
    assert len(tries) > 1
"""
_JS = (
    "test('good', () => {});\n",
    "test('bad', () => { throw new Error('no'); });\n",
    "test.skip('later', () => {});\n",
)
_IT = tuple(one.replace("test", "it") for one in _JS)
_ONCE = "let tries = 0;\n{0}('wavers', () => {{ {1}if (tries++ < 1) throw new Error('no'); }});\n"
JEST = {**_script("", *_JS), "flaky": "jest.retryTimes(2);\n" + _ONCE.format("test", "")}
VITEST_HEAD = "import { test } from 'vitest';\n"
VITEST = {
    **_script(VITEST_HEAD, *_JS),
    "flaky": VITEST_HEAD
    + "let tries = 0;\ntest('wavers', { retry: 2 }, () => { if (!tries++) throw new Error('no'); });\n",
}
MOCHA = {
    **_script("", *_IT),
    "flaky": "let tries = 0;\nit('wavers', function () { this.retries(2); if (!tries++) throw new Error('no'); });\n",
}
GO = {
    **_script(
        'package a\nimport "testing"\nvar _ = testing.Short\n',
        "func TestGood(t *testing.T) {}\n",
        'func TestBad(t *testing.T) { t.Error("no") }\n',
        'func TestLater(t *testing.T) { t.Skip("later") }\n',
        "func TestBroken(t *testing.T) { nowhere() }\n",
    ),
    "flaky": 'package a\nimport ("os"; "testing")\nfunc TestWavers(t *testing.T) {\n'
    '\tif _, err := os.Stat("seen"); err != nil { os.WriteFile("seen", nil, 0o600); t.Error("no") }\n}\n',
}
PHP = _script(
    "<?php\nclass ATest extends PHPUnit\\Framework\\TestCase {\n",
    "function testGood() { $this->assertTrue(true); }\n",
    "function testBad() { $this->assertTrue(false); }\n",
    "function testLater() { $this->markTestSkipped('later'); }\n",
    "function testBroken() { nowhere(",
)
PHP = {state: text if state == "broken" else text + "}\n" for state, text in PHP.items()}
RSPEC = _script(
    "RSpec.describe 'a' do\n  X = 1\n",
    "  it('good') { }\n",
    "  it('bad') { expect(1).to eq 2 }\n",
    "  it('later') { skip 'later' }\n",
    "  it('broken') { \n",
)
RSPEC = {state: text if state == "broken" else text + "end\n" for state, text in RSPEC.items()}
BATS = _script(
    "# tests\n", '@test "good" { true; }\n', '@test "bad" { false; }\n', '@test "later" { skip later; }\n', 'if ("\n'
)
BUSTED = _script(
    "describe('a', function()\n",
    "  it('good', function() end)\n",
    "  it('bad', function() assert.is_true(false) end)\n",
    "  pending('later')\n",
    "  it('broken', function(\n",
)
BUSTED = {state: text if state == "broken" else text + "end)\n" for state, text in BUSTED.items()}
PERL = {
    "none": "use Test::More;\n",
    "skipped": "use Test::More skip_all => 'later';\n",
    **{
        state: "use Test::More;\n" + text + "done_testing;\n"
        for state, text in {
            "passed": "ok(1, 'good');\n",
            "failed": "ok(1, 'good');\nok(0, 'bad');\n",
            "broken": "use Nowhere::At::All;\nok(1, 'good');\n",
        }.items()
    },
}
CTEST = {
    state: "cmake_minimum_required(VERSION 3.21)\nproject(a NONE)\nenable_testing()\n" + text
    for state, text in {
        "none": "",
        "passed": "add_test(good true)\n",
        "failed": "add_test(good true)\nadd_test(bad false)\n",
        "broken": "add_test(good true)\nadd_test(broken nowhere_to_be_found)\n",
        "skipped": 'add_test(later sh -c "exit 77")\nset_tests_properties(later PROPERTIES SKIP_RETURN_CODE 77)\n',
        "flaky": 'add_test(wavers sh -c "test -e seen || { touch seen; false; }")\n',
    }.items()
}
CATCH = _script(
    "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n",
    'TEST_CASE("good") { CHECK(true); }\n',
    'TEST_CASE("bad") { CHECK(false); }\n',
    'TEST_CASE("later", "[.]") { CHECK(true); }\n',
    'TEST_CASE("broken") { nowhere(); }\n',
)
GTEST = _script(
    "#include <gtest/gtest.h>\nint main(int n, char **v) { testing::InitGoogleTest(&n, v); return RUN_ALL_TESTS(); }\n",
    "TEST(A, Good) {}\n",
    "TEST(A, Bad) { EXPECT_EQ(1, 2); }\n",
    'TEST(A, Later) { GTEST_SKIP() << "later"; }\n',
    "TEST(A, Broken) { nowhere(); }\n",
)
JAVA = _script(
    "import org.junit.jupiter.api.*;\nclass ATest {\n",
    "  @Test void good() {}\n",
    "  @Test void bad() { Assertions.assertEquals(1, 2); }\n",
    "  @Test @Disabled void later() {}\n",
    "  @Test void broken() { nowhere(); }\n",
)
JAVA = {state: text + "}\n" for state, text in JAVA.items()}
JAVA["flaky"] = (
    "import org.junit.jupiter.api.*;\nclass ATest {\n  static int tries = 0;\n"
    "  @Test void wavers() { Assertions.assertTrue(tries++ > 0); }\n}\n"
)
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>a</groupId><artifactId>a</artifactId><version>1</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target>
<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies><dependency><groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId>
<version>5.10.2</version><scope>test</scope></dependency></dependencies>
<build><plugins><plugin><artifactId>maven-surefire-plugin</artifactId><version>3.2.5</version></plugin>
<plugin><artifactId>maven-compiler-plugin</artifactId><version>3.11.0</version></plugin>
<plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.1</version></plugin></plugins></build>
</project>"""
BEHAVE = {
    "none": "Feature: a\n",
    "passed": "Feature: a\n  Scenario: good\n    Given good\n",
    "failed": "Feature: a\n  Scenario: good\n    Given good\n  Scenario: bad\n    Given bad\n",
    "broken": "Feature: a\n  Scenario: good\n    Given nobody knows this\n",
    "skipped": "@skip\nFeature: a\n  Scenario: later\n    Given good\n",
}
STEPS = "from behave import given\n@given('good')\ndef good(c): pass\n@given('bad')\ndef bad(c): assert False\n"
ROBOT = {
    "none": "*** Test Cases ***\n",
    "passed": "*** Test Cases ***\nGood\n    No Operation\n",
    "failed": "*** Test Cases ***\nGood\n    No Operation\nBad\n    Fail    no\n",
    "broken": "*** Settings ***\nLibrary    nowhere\n*** Test Cases ***\nBroken\n    Nowhere\n",
    "skipped": "*** Test Cases ***\nLater\n    Skip    later\n",
}
CTEST_TWICE = "cmake -S . -B b > /dev/null && cd b && ctest --repeat until-pass:2 --output-junit {out}/junit.xml"
COMPILED = "set -e; c++ -o a a.cpp {0}; exec ./a {1}"

RUNNERS: Mapping[str, Runner] = {
    "pytest": Runner(
        ("py:pytest", "py:pytest_rerunfailures"),
        ("{python}", "-m", "pytest", "-q", "--junitxml={out}/junit.xml", "."),
        "test_a.py",
        {**PYTEST, "flaky": PYTEST_FLAKY},
    ),
    "xmlrunner": Runner(
        ("py:xmlrunner",), ("{python}", "-m", "xmlrunner", "discover", "-o", "{out}"), "test_a.py", UNITTEST
    ),
    "nose2": Runner(
        ("py:nose2",),
        (
            "{python}",
            "-m",
            "nose2",
            "--plugin",
            "nose2.plugins.junitxml",
            "--junit-xml",
            "--junit-xml-path",
            "{out}/junit.xml",
        ),
        "test_a.py",
        UNITTEST,
    ),
    "behave": Runner(
        ("py:behave",),
        ("{python}", "-m", "behave", "--junit", "--junit-directory", "{out}", "--tags=-skip"),
        "features/a.feature",
        BEHAVE,
        more={"features/steps/s.py": STEPS},
    ),
    "robot": Runner(
        ("py:robot",),
        (
            "{python}",
            "-m",
            "robot",
            "--xunit",
            "{out}/junit.xml",
            "--output",
            "NONE",
            "--report",
            "NONE",
            "--log",
            "NONE",
            "a.robot",
        ),
        "a.robot",
        ROBOT,
    ),
    "jest": Runner(
        ("npm:jest", "npm:jest-junit"),
        ("{bin}/jest", "--ci", "--reporters=jest-junit"),
        "a.test.js",
        JEST,
        more={"package.json": "{}"},
        env={"JEST_JUNIT_OUTPUT_FILE": "{out}/junit.xml"},
    ),
    "vitest": Runner(
        ("npm:vitest",),
        ("{bin}/vitest", "run", "--reporter=junit", "--outputFile={out}/junit.xml"),
        "a.test.mjs",
        VITEST,
        more={"package.json": "{}"},
    ),
    "mocha": Runner(
        ("npm:mocha", "npm:mocha-junit-reporter"),
        (
            "{bin}/mocha",
            "--reporter",
            "mocha-junit-reporter",
            "--reporter-options",
            "mochaFile={out}/junit.xml",
            "a.test.js",
        ),
        "a.test.js",
        MOCHA,
    ),
    "node": Runner(
        ("node",),
        ("node", "--test", "--test-reporter=junit", "--test-reporter-destination={out}/junit.xml"),
        "a.test.mjs",
        _script("import test from 'node:test';\n", *_JS),
    ),
    "gotestsum": Runner(
        ("go", "gotestsum"),
        ("gotestsum", "--junitfile", "{out}/junit.xml", "--rerun-fails", "--packages", "./..."),
        "a_test.go",
        GO,
        more={"go.mod": "module a\n", "a.go": "package a\n"},
    ),
    "phpunit": Runner(("phpunit",), ("phpunit", "--log-junit", "{out}/junit.xml", "ATest.php"), "ATest.php", PHP),
    "rspec": Runner(
        ("rspec",),
        ("rspec", "--format", "RspecJunitFormatter", "--out", "{out}/junit.xml", "a_spec.rb"),
        "a_spec.rb",
        RSPEC,
        more={".rspec": "--require rspec_junit_formatter\n"},
    ),
    "bats": Runner(("bats",), ("bats", "--report-formatter", "junit", "--output", "{out}", "a.bats"), "a.bats", BATS),
    "busted": Runner(
        ("busted",), ("busted", "--output=junit", "-Xoutput", "{out}/junit.xml", "a_spec.lua"), "a_spec.lua", BUSTED
    ),
    "prove": Runner(
        ("prove",), ("sh", "-c", "prove --formatter TAP::Formatter::JUnit a.t > {out}/junit.xml"), "a.t", PERL
    ),
    "ctest": Runner(("ctest", "cmake"), ("sh", "-c", CTEST_TWICE), "CMakeLists.txt", CTEST),
    "googletest": Runner(
        ("c++", "/usr/include/gtest/gtest.h"),
        ("sh", "-c", COMPILED.format("-lgtest -lpthread", "--gtest_output=xml:{out}/junit.xml")),
        "a.cpp",
        GTEST,
    ),
    "catch2": Runner(
        ("c++", "/usr/include/catch2/catch.hpp"),
        ("sh", "-c", COMPILED.format("", "-r junit -o {out}/junit.xml")),
        "a.cpp",
        CATCH,
    ),
    "maven": Runner(
        ("mvn",),
        ("mvn", "-o", "-q", "-Dsurefire.rerunFailingTestsCount=2", "test"),
        "src/test/java/ATest.java",
        JAVA,
        reports="target/surefire-reports/*.xml",
        more={"pom.xml": POM},
    ),
}
