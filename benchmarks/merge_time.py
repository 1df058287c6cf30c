"""Merging N documents of 5 KB, against reading each and writing all once: at most 2.0 times, and linear."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson
from corpus import bodies, parent
from table import show, verdict

from contexts.merge import merge_files

LIMIT = 2.0
STAMP = "2026-01-15T10:10:00Z"


def main() -> None:
    for indent in (False, True):
        rows: list[tuple[object, ...]] = []
        for count in (10, 100, 1000, 10_000):
            head = ("parent.json", orjson.dumps(parent(count)))
            files = list(bodies(count, indent=indent))

            def baseline(files: list[tuple[str, bytes]] = files) -> None:
                orjson.dumps([orjson.loads(body) for _, body in files])

            def merge(files: list[tuple[str, bytes]] = files, head: tuple[str, bytes] = head) -> None:
                merge_files(head, files, timestamp=STAMP)

            base, ours = best_of(baseline, merge, rounds=max(3, 2000 // count))
            ratio = ours / base
            rows.append(
                (
                    count,
                    f"{base * 1000:.2f}",
                    f"{ours * 1000:.2f}",
                    f"{ours / count * 1e6:.1f}",
                    f"{ratio:.2f}",
                    verdict(ratio, LIMIT),
                )
            )
        shape = "indented, as people write it" if indent else "compact, as programs write it"
        show(
            f"Merge of N documents of 5 KB ({shape}); limit {LIMIT} times loads + dumps",
            ("N", "loads + dumps ms", "merge ms", "us/document", "ratio", ""),
            rows,
        )


def best_of(*actions: Callable[[], None], rounds: int) -> list[float]:
    """Return the best seconds of each action, measured in turn so that a busy machine hits all alike."""
    best = [float("inf")] * len(actions)
    for _ in range(rounds):
        for number, action in enumerate(actions):
            started = time.perf_counter()
            action()
            best[number] = min(best[number], time.perf_counter() - started)
    return best


if __name__ == "__main__":
    main()
