"""Count what the scanner of secrets takes for one in code that holds none: the standard library and installed packages.

A certain hit would rewrite a line of a branch; a guess is a warning there. Both are false where nothing secret stands.

    PYTHONPATH=. python benchmarks/redaction.py [--show]
"""

from __future__ import annotations

import inspect
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from table import show

from contexts.redaction import redact_text

SUFFIXES = {
    ".py",
    ".pyi",
    ".js",
    ".ts",
    ".json",
    ".yaml",
    ".yml",
    ".toml",
    ".cfg",
    ".ini",
    ".md",
    ".rst",
    ".txt",
    ".html",
    ".css",
    ".sh",
}
LARGEST = 2_000_000
_LEVELS = "guesses" in inspect.signature(redact_text).parameters


def files(folder: Path, *, apart: Path | None = None) -> Iterator[Path]:
    """Yield the text files below a folder, without those below another."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in SUFFIXES or (apart is not None and apart in path.parents):
            continue
        if path.is_file() and path.stat().st_size <= LARGEST:
            yield path


def count(paths: Iterator[Path], *, every: bool) -> dict[str, object]:
    """Scan files and return the row of the table."""
    lines, size = 0, 0
    certain: Counter[str] = Counter()
    guessed: Counter[str] = Counter()
    started = time.process_time()
    for path in paths:
        text = path.read_text("utf-8", "surrogateescape")
        lines += text.count("\n")
        size += len(text)
        for hit in redact_text(text).hits:
            (certain if getattr(hit, "certain", True) else guessed)[hit.kind] += 1
            if every and getattr(hit, "certain", True):
                print(f"{path}:{hit.line}: {hit.kind}")
    seconds = time.process_time() - started
    print("certain:", dict(certain.most_common()), "guesses:", dict(guessed.most_common(12)))
    return {
        "lines": f"{lines:,}",
        "certain": sum(certain.values()),
        "guesses": sum(guessed.values()) if _LEVELS else "",
        "CPU s per million lines": f"{seconds / lines * 1e6:.1f}",
    }


def main() -> None:
    """Print the table."""
    every = "--show" in sys.argv
    packages, library = Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib"))
    rows = {
        "standard library": count(files(library, apart=library / "site-packages"), every=every),
        "installed packages": count(files(packages), every=every),
    }
    show(
        "What is taken for a secret in code that holds none",
        ("", *rows["standard library"]),
        [(name, *row.values()) for name, row in rows.items()],
    )


if __name__ == "__main__":
    main()
