"""What linters and scanners found, as SARIF 2.1.0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from contexts.documents.figures import Sarif, SarifFinding
from contexts.redaction import head_of
from tasks.checks.report_file import ReportError, problem_of

_SHOWN = 20
_LONGEST = 500

_Level = Literal["none", "note", "warning", "error"]
_LEVELS = ("error", "warning", "note")


class _Message(BaseModel):
    text: str = ""
    id: str = ""


class _Artifact(BaseModel):
    uri: str = ""


class _Region(BaseModel):
    startLine: int | None = None  # noqa: N815 - as the report writes it


class _Physical(BaseModel):
    artifactLocation: _Artifact = Field(default_factory=_Artifact)  # noqa: N815
    region: _Region = Field(default_factory=_Region)


class _Location(BaseModel):
    physicalLocation: _Physical = Field(default_factory=_Physical)  # noqa: N815


class _Suppression(BaseModel):
    status: Literal["accepted", "underReview", "rejected"] = "accepted"


class _RuleOf(BaseModel):
    id: str = ""
    index: int = -1


class _Result(BaseModel):
    ruleId: str = ""  # noqa: N815
    ruleIndex: int = -1  # noqa: N815
    rule: _RuleOf = Field(default_factory=_RuleOf)
    kind: str = "fail"
    level: _Level | None = None
    message: _Message = Field(default_factory=_Message)
    locations: list[_Location] = []
    suppressions: list[_Suppression] | None = None
    baselineState: str = "new"  # noqa: N815


class _Configuration(BaseModel):
    level: _Level = "warning"


class _Rule(BaseModel):
    id: str = ""
    defaultConfiguration: _Configuration = Field(default_factory=_Configuration)  # noqa: N815


class _Component(BaseModel):
    name: str = ""
    rules: list[_Rule] = []


class _Tool(BaseModel):
    driver: _Component


class _Invocation(BaseModel):
    executionSuccessful: bool = True  # noqa: N815
    endTimeUtc: Any = None  # noqa: N815


class _Run(BaseModel):
    tool: _Tool
    results: list[_Result] | None = None
    invocations: list[_Invocation] = []


class _Log(BaseModel):
    version: Annotated[str, Field(pattern=r"^2\.1\.\d{1,3}$")]
    runs: list[_Run]


@dataclass(frozen=True, slots=True)
class SarifLog:
    """What one SARIF file says, and when its runs ended."""

    found: Sarif
    times: tuple[str, ...]


def parse_sarif(raw: bytes) -> SarifLog:
    """Return how many results of each level a SARIF log has, and the first of them.

    A result that is suppressed, or of a kind that is no failure, counts at no level.

    Raises:
        ReportError: Not SARIF 2.1.0, or a run says of itself that it did not succeed.
    """
    counts: Counter[str] = Counter()
    findings: list[SarifFinding] = []
    times: list[str] = []
    for run in _runs(raw):
        times += [each.endTimeUtc for each in run.invocations if isinstance(each.endTimeUtc, str)]
        shown: Counter[str] = Counter()
        for result in run.results or ():
            level = _level(result, run.tool.driver)
            counts[level] += 1
            shown[level] += 1
            if level in _LEVELS and shown[level] <= _SHOWN:
                findings.append(_finding(result, level, run.tool.driver))
    return SarifLog(_sarif(counts, findings), tuple(times))


def join_sarif(logs: Sequence[SarifLog]) -> Sarif:
    """Return what several files that are one report say together."""
    counts: Counter[str] = Counter()
    for log in logs:
        counts.update({key: getattr(log.found, key) for key in (*_LEVELS, "suppressed")})
    return _sarif(counts, [finding for log in logs for finding in log.found.findings])


def _sarif(counts: Mapping[str, int], findings: Sequence[SarifFinding]) -> Sarif:
    gravest = sorted(findings, key=lambda each: _LEVELS.index(each.level))
    numbers = {key: counts.get(key, 0) for key in (*_LEVELS, "suppressed")}
    return Sarif(**numbers, findings=tuple(gravest[:_SHOWN]))


def _runs(raw: bytes) -> list[_Run]:
    try:
        runs = _Log.model_validate_json(raw.removeprefix(b"\xef\xbb\xbf")).runs
    except ValidationError as error:
        raise ReportError(f"the report is not SARIF 2.1.0: {problem_of(error)}") from error
    if not runs:
        raise ReportError("the SARIF report has no run")
    for run in runs:
        name = run.tool.driver.name[:80] or "its tool"
        if not all(one.executionSuccessful for one in run.invocations):
            raise ReportError(f"the SARIF report says that {name} did not run to its end")
        if run.results is None:
            raise ReportError(f"the SARIF report has no results of {name}, as it has where the tool did not run")
    return runs


def _level(result: _Result, driver: _Component) -> str:
    if any(one.status == "accepted" for one in result.suppressions or ()):
        return "suppressed"
    if result.kind != "fail" or result.baselineState == "absent":
        return "none"
    if result.level is not None:
        return result.level
    rule = _rule(result, driver)
    return rule.defaultConfiguration.level if rule else "warning"


def _rule(result: _Result, driver: _Component) -> _Rule | None:
    index = result.ruleIndex if result.ruleIndex >= 0 else result.rule.index
    if 0 <= index < len(driver.rules):
        return driver.rules[index]
    name = result.ruleId or result.rule.id
    return next((one for one in driver.rules if one.id and one.id == name), None)


def _finding(result: _Result, level: str, driver: _Component) -> SarifFinding:
    place = result.locations[0].physicalLocation if result.locations else _Physical()
    rule = _rule(result, driver)
    return SarifFinding(
        rule=(result.ruleId or result.rule.id or (rule.id if rule else ""))[:200],
        level=level,
        path=place.artifactLocation.uri[:500],
        line=place.region.startLine,
        message=head_of(result.message.text or result.message.id, _LONGEST),
    )
