"""Compare saving through `S3Objects` with raw boto3 puts on the same server, and reading with raw gets.

``python -m benchmarks.stores`` starts MiniStack; ``--endpoint URL --bucket NAME`` measures another service with the
credentials of the environment. Both sides take turns within one run, so that the ratios hold on a busy machine.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from secrets import token_hex

import boto3
import orjson

from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings, connect
from tests.contexts.stores import servers

SAVE_AT_MOST = 1.2
THROUGHPUT_AT_LEAST = 0.8
AT_ONCE = 32


@dataclass(frozen=True)
class Row:
    """One comparison: seconds of both sides, their ratio, the goal."""

    what: str
    ours: float
    raw: float
    ratio: float
    goal: str
    met: bool


def document(size: int) -> bytes:
    """Return a JSON document of about so many bytes."""
    line = {"file": "src/app/services/profile.py", "decision": "keep the avatar beside the profile", "done": True}
    return orjson.dumps({"version": "1.0", "workflow_id": "w", "decisions": [line] * max(1, size // 100)})


@contextlib.contextmanager
def target(endpoint: str, bucket: str) -> Iterator[tuple[S3Settings, boto3.Session]]:
    """Yield the service to measure: the one named, or a MiniStack of our own."""
    if endpoint:
        yield S3Settings(endpoint_url=endpoint, connections=AT_ONCE), boto3.Session()
        return
    with servers.ministack() as server:
        session = boto3.Session(server.access_key, server.secret_key, region_name="us-east-1")
        settings = S3Settings(endpoint_url=server.endpoint, region="us-east-1", addressing="path", connections=AT_ONCE)
        connect(settings, session).create_bucket(Bucket=bucket)
        yield settings, session


def seconds(act: Callable[[int], object], numbers: range, at_once: int) -> float:
    """Return how long it takes to act on every number, so many at once."""
    began = time.perf_counter()
    if at_once == 1:
        for number in numbers:
            act(number)
    else:
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(act, numbers))
    return time.perf_counter() - began


def one_by_one(ours: Callable[[int], object], raw: Callable[[int], object], count: int) -> tuple[float, float]:
    """Return the median seconds of one request of both sides, which take turns request by request."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(count):
        order = ((ours, took[0]), (raw, took[1]))
        for act, into in order if number % 2 else reversed(order):
            into.append(seconds(act, range(number, number + 1), 1))
    return statistics.median(took[0]), statistics.median(took[1])


def in_turns(
    ours: Callable[[int], object], raw: Callable[[int], object], count: int, at_once: int, turns: int
) -> tuple[float, float]:
    """Return the median seconds of both sides over several turns, each beginning with the other side."""
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns):
        numbers = range(turn * count, (turn + 1) * count)
        order = ((ours, took[0]), (raw, took[1]))
        for act, into in order if turn % 2 else reversed(order):
            into.append(seconds(act, numbers, at_once))
    return statistics.median(took[0]), statistics.median(took[1])


def compare(settings: S3Settings, session: boto3.Session, bucket: str, documents: int) -> list[Row]:
    """Return all comparisons on one service."""
    client = connect(settings, session)
    prefix = f"benchmark-{token_hex(4)}"
    objects = S3Objects(bucket, f"{prefix}/ours", settings=settings, client=client)
    rows: list[Row] = []
    for size in (5_000, 50_000, 500_000):
        body = document(size)

        def save(number: int, body: bytes = body) -> None:
            objects.create(f"documents/w{len(body)}/context/{number:06d}.json", body)

        def put(number: int, body: bytes = body) -> None:
            client.put_object(
                Bucket=bucket, Key=f"{prefix}/raw/{len(body)}/{number:06d}.json", Body=body, IfNoneMatch="*"
            )

        save(999_999)
        put(999_999)
        ours, raw = one_by_one(save, put, max(20, documents // 3))
        ratio = ours / raw
        rows.append(
            Row(
                f"save {size // 1000} KB, one by one",
                ours,
                raw,
                ratio,
                f"<= {SAVE_AT_MOST}",
                ratio <= SAVE_AT_MOST,
            )
        )

    body = document(5_000)

    def save_many(number: int) -> None:
        objects.create(f"documents/many/context/{number:06d}.json", body)

    def put_many(number: int) -> None:
        client.put_object(Bucket=bucket, Key=f"{prefix}/raw/many/{number:06d}.json", Body=body, IfNoneMatch="*")

    ours, raw = in_turns(save_many, put_many, documents, AT_ONCE, 3)
    share = raw / ours
    rows.append(
        Row(
            f"save {documents} documents, {AT_ONCE} at once",
            ours,
            raw,
            share,
            f">= {THROUGHPUT_AT_LEAST} of raw",
            share >= THROUGHPUT_AT_LEAST,
        )
    )
    read = seconds(lambda number: objects.read(f"documents/many/context/{number:06d}.json"), range(documents), AT_ONCE)
    raw = seconds(
        lambda number: client.get_object(Bucket=bucket, Key=f"{prefix}/raw/many/{number:06d}.json")["Body"].read(),
        range(documents),
        AT_ONCE,
    )
    rows.append(
        Row(f"read {documents} documents, {AT_ONCE} at once", read, raw, raw / read, "for information", met=True)
    )
    return rows


def main() -> int:
    """Print the table; return 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", default="")
    parser.add_argument("--bucket", default="benchmark")
    parser.add_argument("--documents", type=int, default=1000)
    chosen = parser.parse_args()
    with target(chosen.endpoint, chosen.bucket) as (settings, session):
        rows = compare(settings, session, chosen.bucket, chosen.documents)
    print(f"{'what':<38} {'plait s':>9} {'boto3 s':>9} {'ratio':>6}  goal")
    for row in rows:
        missed = "" if row.met else " MISSED"
        print(f"{row.what:<38} {row.ours:>9.4f} {row.raw:>9.4f} {row.ratio:>6.2f}  {row.goal}{missed}")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
