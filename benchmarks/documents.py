"""One document of 100 KB: local save (fsync included) P99 under 50 ms, load under 20 ms, validation under 10 ms."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson
from corpus import track
from table import show, verdict

from contexts import redaction as secrets
from contexts.documents.codec import validate
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects

ROUNDS = 200
SIZE = 100_000


def main() -> None:
    document = track(1, SIZE)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = ContextStore(LocalObjects(Path(folder)))
        names = iter(range(10_000_000))

        def save() -> None:
            store.save(document, workflow_id="feature", name="tracks/track-1", after=next(names))

        save()
        ref, _ = store.require("feature", "tracks/track-1")
        rows = [
            row("save", save, 50),
            row("load", lambda: store.load(ref), 20),
            row("validation", lambda: validate(document), 10),
            row("secret scan (part of save)", lambda: secrets.redact(document), 50),
        ]
    show(
        f"One document of {len(orjson.dumps(document)) // 1000} KB, {ROUNDS} times",
        ("", "median ms", "P99 ms", "limit ms", ""),
        rows,
    )


def row(name: str, action: Callable[[], object], limit: float) -> tuple[object, ...]:
    """Measure an action and hold its 99th percentile against a limit in milliseconds."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        action()
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    p99 = taken[int(len(taken) * 0.99) - 1]
    return name, f"{taken[len(taken) // 2]:.2f}", f"{p99:.2f}", limit, verdict(p99, limit)


if __name__ == "__main__":
    main()
