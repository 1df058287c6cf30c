"""Memory of a merge: the peak beyond the start, against the merged document; at most 3 times plus one document.

Measured in a fresh process each, by the kernel's own high-water mark, with the documents made one at a time.
"""

from __future__ import annotations

import resource
import subprocess
import sys

import orjson
from corpus import bodies, parent, track
from table import show, verdict

LIMIT = 3.0
STAMP = "2026-01-15T10:10:00Z"


def main() -> None:
    rows: list[tuple[object, ...]] = []
    for count in (1000, 3000, 10_000):
        ran = subprocess.run([sys.executable, __file__, str(count)], check=True, capture_output=True)
        peak, merged = orjson.loads(ran.stdout)
        one = len(orjson.dumps(track(0)))
        ratio = (peak - one) / merged
        rows.append(
            (count, f"{merged / 1e6:.1f}", f"{peak / 1e6:.1f}", f"{ratio:.2f}", verdict(ratio, LIMIT)),
        )
    show(
        f"Memory of a merge of N documents of 5 KB; limit {LIMIT:g} times the merged size plus one document",
        ("N", "merged MB", "peak MB", "ratio", ""),
        rows,
    )


def measure(count: int) -> None:
    """Print the peak in bytes beyond the start, and the size of the merged document."""
    from contexts.merge import merge_files  # noqa: PLC0415 - only the fresh process needs it

    head = ("parent.json", orjson.dumps(parent(count)))
    merge_files(("parent.json", orjson.dumps(parent(20))), bodies(20), timestamp=STAMP)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = merge_files(head, bodies(count), timestamp=STAMP)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.buffer.write(orjson.dumps([(peak - before) * 1024, len(result.body)]))


if __name__ == "__main__":
    measure(int(sys.argv[1])) if len(sys.argv) > 1 else main()
