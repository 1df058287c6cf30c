"""What agents say of a run's work, in a real run: claims beside evidence, differing decisions, constraints; it decides nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.feature import feature
from tests.flows.specs import make_repository, write_spec
from tests.servers import Server

JUNIT = "<testsuite tests='2'><testcase classname='a' name='b'/><testcase classname='a' name='c'/></testsuite>"
UNIT = f"import os; open(os.environ['PLAIT_REPORTS'] + '/junit.xml', 'w').write({JUNIT!r})"


def leaving(file: str, **left: Any) -> str:
    """Return a program that writes a file and leaves this context."""
    return f"import os; open({file!r}, 'w').write('x = 1'); open(os.environ['PLAIT_CONTEXT'], 'w').write({json.dumps(left)!r})"


@pytest.mark.parametrize("prose", ["warn", "off"])
def test_what_agents_say_is_shown_beside_the_evidence_and_decides_nothing(
    prose: str, prefect_api: Server, workspaces: Path, tmp_path: Path
) -> None:
    make_repository(tmp_path / "repository", README__md="x")
    api = leaving(
        "a.py",
        claimed_results=[{"check": "unit", "tests": 3, "passed": 2}],
        decisions=[{"topic": "database", "choice": "MySQL"}],
        test_results={"unit": "45/50 passed (98%)"},
        pending_actions=[{"action": "Ship", "status": "done"}],
    )
    page = leaving(
        "p.py",
        decisions=[{"topic": "Database", "choice": "sqlite"}],
        pending_actions=[{"action": "Ship", "status": "open"}],
    )
    spec = write_spec(
        tmp_path, "said", {"api": api, "page": page},
        repository={"path": str(tmp_path / "repository")},
        constraints=[{"topic": "database", "allow": ["sqlite"]}],
        audit={"prose": prose},
        verification={"checks": [{"id": "unit", "kind": "tests", "argv": ["{python}", "-c", UNIT], "reports": {"junit": "junit.xml"}}]},
    )  # fmt: skip
    state = feature(spec=spec, store=str(tmp_path / "store"), return_state=True)
    document = ContextStore(LocalObjects(tmp_path / "store")).require("said", "context")[1]
    assert (document["status"], document["run"]["exit_code"]) == ("verified", 0), document.get("run")
    assert state.name == "Completed"
    told = sorted((one["rule"], one["severity"]) for one in document["findings"])
    worded = [("arithmetic/percentage", "warning")] if prose == "warn" else []
    assert told == [*worded, ("claims/evidence", "warning"), ("decisions/constraint", "warning")]
    assert [(one["figure"], one["claimed"], one["shown"], one["agrees"]) for one in document["compared_claims"]] == [
        ("tests", 3, 2, False),
        ("passed", 2, 2, True),
    ]
    assert [(one["kind"], one["status"]) for one in document["integration_concerns"]] == [
        ("differing-decisions", "differing"),
        ("differing-statuses", "differing"),
    ]
