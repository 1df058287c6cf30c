"""Audit files and folders from a shell: ``python -m contexts.audit PATH... [--json]``."""

from __future__ import annotations

import json
import sys

from contexts.audit import audit
from contexts.audit.load import load
from contexts.audit.render import lines
from contexts.errors import DocumentError


def main(arguments: list[str]) -> int:
    """Print the report; 0 without blocking findings, 1 with some, 2 where nothing could be read."""
    paths = [argument for argument in arguments if argument != "--json"]
    try:
        loaded = load(paths)
    except DocumentError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    report = audit(loaded.documents, loaded.findings)
    if "--json" in arguments:
        sys.stdout.write(json.dumps(report.to_json(), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(lines(report)) + "\n")
        if loaded.skipped:
            sys.stdout.write(f"not read: {', '.join(loaded.skipped[:10])}\n")
    return 1 if report.blocking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
