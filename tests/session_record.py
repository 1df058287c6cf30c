"""What one pytest process ran, written down for `.ci/run`: what failed, and whether the process came to its end.

A make target may run several pytest processes at once, so each writes a file of its own below the folder that
PLAIT_SESSION_RECORDS names. Without that variable nothing is written.
"""

import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest

FOLDER = "PLAIT_SESSION_RECORDS"
KEPT = "PLAIT_TEST_"
"""What begins the names of variables that change what a test does: a second try is given them too."""


class SessionRecord:
    """The hooks that fill the record. It is there, unfinished, from the start: so a killed process leaves it unfinished."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
        self.record: dict[str, Any] = {
            "finished": False,
            "exit_code": None,
            "passed": 0,
            "failed": [],
            "not_collected": [],
            "environment": {name: value for name, value in os.environ.items() if name.startswith(KEPT)},
        }
        self._write()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what failed in any of its phases, once."""
        if report.failed and report.nodeid not in self.record["failed"]:
            self.record["failed"].append(report.nodeid)
            self._write()
        self.record["passed"] += report.when == "call" and report.passed

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not even be read."""
        if report.failed:
            self.record["not_collected"].append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Close the record."""
        self.record |= {"finished": True, "exit_code": int(exitstatus)}
        self._write()

    def _write(self) -> None:
        draft = self.file.with_suffix(".draft")
        draft.write_text(json.dumps(self.record, indent=1), encoding="utf-8")
        draft.replace(self.file)


def record_session(config: pytest.Config) -> None:
    """Record this process where that is asked for, and none that it starts: workers of xdist report to it."""
    folder = os.environ.pop(FOLDER, None)
    if folder and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SessionRecord(Path(folder)), "plait-session-record")
