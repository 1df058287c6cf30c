"""Prepare a folder in which the example can be run: the application as a git repository, the specs, the agents.

    python prepare.py DIR

DIR must be new or empty.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".pytest_cache", "*.db", "data")
AUTHOR = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Example"), ("EMAIL", "example@example.org"), ("DATE", "2026-01-01T00:00:00+00:00"))
}


def main() -> int:
    """Copy, commit, and say what to run next."""
    parser = argparse.ArgumentParser(description="Prepare a folder in which the example can be run.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    folder = parser.parse_args().folder
    problem = unusable(folder)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    prepare(folder)
    print(f"Prepared {folder}. Next:\n\n    cd {folder}\n    plait run spec.yaml")
    return 0


def unusable(folder: Path) -> str | None:
    """Say why a folder cannot be used, or nothing."""
    if folder.exists() and not folder.is_dir():
        return f"{folder} is a file; give the name of a new or empty folder."
    if folder.is_dir() and any(folder.iterdir()):
        return f"{folder} is not empty; give the name of a new or empty folder, nothing is overwritten."
    return None


def prepare(folder: Path) -> None:
    """Make DIR/app a repository with one commit, the same everywhere, and put specs and agents beside it."""
    shutil.copytree(HERE / "app", folder / "app", ignore=NOT_COPIED)
    shutil.copytree(HERE / "agents", folder / "agents", ignore=NOT_COPIED)
    for spec in sorted(HERE.glob("*.yaml")):
        shutil.copy(spec, folder)
    git(folder / "app", "init", "--quiet", "--initial-branch=main")
    git(folder / "app", "add", "--all")
    git(folder / "app", "commit", "--quiet", "--message=A small account service")


def git(repository: Path, *arguments: str) -> None:
    """Run git without anybody's configuration, so that the commit is the same on every machine."""
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *arguments], cwd=repository, env=inherited | quiet | AUTHOR, check=True)


if __name__ == "__main__":
    sys.exit(main())
