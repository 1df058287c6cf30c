"""How test runners are told to leave a JUnit report: one table, looked up by a check's argument list alone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

_RUNNERS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("gotestsum",), "gotestsum", '--junitfile "{reports}/junit.xml"'),
    (("go", "test"), "go test", 'gotestsum --junitfile "{reports}/junit.xml", or go-junit-report'),
    (("nextest",), "cargo nextest", "junit.path in its profile, below {tree}/target/nextest/"),
    (("cargo", "test"), "cargo test", "cargo nextest, whose profile has junit.path"),
    (("pytest",), "pytest", '--junitxml "{reports}/junit.xml"'),
    (("py.test",), "pytest", '--junitxml "{reports}/junit.xml"'),
    (("nose2",), "nose2", '--plugin nose2.plugins.junitxml --junit-xml --junit-xml-path "{reports}/junit.xml"'),
    (("behave",), "behave", '--junit --junit-directory "{reports}/junit"'),
    (("robot",), "robot", '--xunit "{reports}/junit.xml"'),
    (("xmlrunner",), "unittest-xml-reporting", '--output-file "{reports}/junit.xml"'),
    (("unittest",), "unittest", 'python -m xmlrunner --output-file "{reports}/junit.xml" (unittest-xml-reporting)'),
    (("jest",), "jest", '--reporters=jest-junit with JEST_JUNIT_OUTPUT_FILE="{reports}/junit.xml"'),
    (("vitest",), "vitest", '--reporter=junit --outputFile="{reports}/junit.xml"'),
    (("mocha",), "mocha", '--reporter mocha-junit-reporter --reporter-options "mochaFile={reports}/junit.xml"'),
    (("playwright",), "playwright", '--reporter=junit with PLAYWRIGHT_JUNIT_OUTPUT_NAME="{reports}/junit.xml"'),
    (("cypress",), "cypress", '--reporter junit --reporter-options "mochaFile={reports}/junit-[hash].xml"'),
    (("jasmine",), "jasmine", "JUnitXmlReporter of jasmine-reporters"),
    (("ava",), "ava", "--tap piped into tap-xunit"),
    (("node", "--test"), "node --test", '--test-reporter=junit --test-reporter-destination="{reports}/junit.xml"'),
    (("deno", "test"), "deno test", '--junit-path="{reports}/junit.xml"'),
    (("bun", "test"), "bun test", '--reporter=junit --reporter-outfile="{reports}/junit.xml"'),
    (("mvn",), "maven", 'name "{tree}/target/surefire-reports/*.xml"'),
    (("mvnw",), "maven", 'name "{tree}/target/surefire-reports/*.xml"'),
    (("gradle",), "gradle", 'name "{tree}/build/test-results/test/*.xml"'),
    (("gradlew",), "gradle", 'name "{tree}/build/test-results/test/*.xml"'),
    (("phpunit",), "phpunit", '--log-junit "{reports}/junit.xml"'),
    (("pest",), "pest", '--log-junit "{reports}/junit.xml"'),
    (("rspec",), "rspec", '--format RspecJunitFormatter --out "{reports}/junit.xml"'),
    (("dotnet", "test"), "dotnet test", '--logger "junit;LogFilePath={reports}/junit.xml" (JunitXml.TestLogger)'),
    (("ctest",), "ctest", '--output-junit "{reports}/junit.xml"'),
    (("swift", "test"), "swift test", '--xunit-output "{reports}/junit.xml"'),
    (("bats",), "bats", '--report-formatter junit --output "{reports}"'),
    (("shellspec",), "shellspec", '--output junit --reportdir "{reports}"'),
    (("busted",), "busted", '--output=junit -Xoutput "{reports}/junit.xml"'),
    (("prove",), "prove", "--formatter TAP::Formatter::JUnit with its output in {reports}/junit.xml"),
    (("mix", "test"), "mix test", "--formatter JUnitFormatter (junit_formatter)"),
)  # fmt: skip
"""Words that an argument list has in this order, the runner's name, and what makes it leave a JUnit report."""


def without_report(argv: Sequence[str]) -> str:
    """Say why tests without a JUnit report prove nothing, and what to add for the runner the arguments name."""
    words = [re.sub(r"\.(?:exe|cmd|bat|js|mjs|phar)\Z", "", posixpath.basename(one)) for one in argv]
    found = next((entry for entry in _RUNNERS if _has(words, entry[0])), None)
    how = f"{found[1]} leaves one with {found[2]}" if found else "let its runner write one into {reports}"
    name = "" if found and "{tree}" in found[2] else "; then name it, as reports: {junit: junit.xml}"
    return f"no JUnit report is named in reports, so nothing shows which tests ran: {how}{name}"


def _has(words: Sequence[str], wanted: Sequence[str]) -> bool:
    rest = iter(words)
    return all(any(word == one or word == one.split("=")[0] for word in rest) for one in wanted)
