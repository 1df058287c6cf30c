"""Run the tests with line and branch coverage, and leave both reports in a folder.

    python tools/run_tests.py --reports DIR [TEST ...]

Leaves DIR/junit.xml and DIR/coverage.json; ends with the exit code of pytest. Coverage that cannot be reported fails.
"""

import argparse
import sys
from pathlib import Path

import coverage
import pytest


def main() -> int:
    """Measure everything pytest imports from src."""
    parser = argparse.ArgumentParser(description="Run the tests with coverage.")
    parser.add_argument("--reports", type=Path, required=True, help="folder for junit.xml and coverage.json")
    parser.add_argument("tests", nargs="*", default=["tests"])
    options = parser.parse_args()
    options.reports.mkdir(parents=True, exist_ok=True)
    measured = coverage.Coverage(data_file=None)
    measured.start()
    code = pytest.main(["-q", f"--junitxml={options.reports / 'junit.xml'}", *options.tests])
    measured.stop()
    total = measured.json_report(outfile=str(options.reports / "coverage.json"))
    print(f"coverage: {total:.1f} %")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
