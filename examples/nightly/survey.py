"""Write one page about this machine, or check that all three pages are there.

As an agent it reads $PLAIT_ASSIGNMENT, writes TRACK.md in its folder and leaves its context in $PLAIT_CONTEXT.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Do what was asked."""
    return check() if "--check" in sys.argv else survey()


def survey() -> int:
    """Write the page of this track."""
    assignment = json.loads(Path(os.environ["PLAIT_ASSIGNMENT"]).read_text(encoding="utf-8"))
    track = assignment["task_id"]
    facts = {"disk": disk, "tools": tools, "python": python}[track]()
    page = Path(f"{track}.md")
    page.write_text(f"# {assignment['scope']}\n\n" + "".join(f"- {fact}\n" for fact in facts), encoding="utf-8")
    context = {
        "summary": f"{len(facts)} facts about {track}: {'; '.join(facts)}"[:500],
        "files_modified": [page.name],
        "decisions": [f"Record {track} as {facts[0]}"],
    }
    Path(os.environ["PLAIT_CONTEXT"]).write_text(json.dumps(context), encoding="utf-8")
    return 0


def disk() -> list[str]:
    """Say how full the disk is."""
    usage = shutil.disk_usage(".")
    return [f"{usage.used * 100 // usage.total} % of {usage.total // 2**30} GiB used"]


def tools() -> list[str]:
    """Say which git there is."""
    return [subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()]


def python() -> list[str]:
    """Say which Python this is, on what."""
    return [f"Python {platform.python_version()}", platform.platform()]


def check() -> int:
    """Fail when a page is missing or holds no fact."""
    for name in ("disk", "tools", "python"):
        page = Path(f"{name}.md")
        if not page.is_file() or "\n- " not in page.read_text(encoding="utf-8"):
            print(f"{page} is missing or empty")
            return 1
    print("three pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
