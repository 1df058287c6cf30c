"""Count what a real run asks of a bucket, request by request, and say what that costs.

``PYTHONPATH=. python benchmarks/store_requests.py`` runs the feature flow twice on MiniStack through a counting proxy:
first everything is done, then everything is reused. docs/guides/stores.md holds what it printed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from contexts.leases.lease import RENEW_EVERY
from tests.contexts.stores import servers
from tests.flows.stores.bucket import Bucket, bucket, plait
from tests.servers import running_server

PRICES = {"AWS S3 Standard (us-east-1)": (0.005, 0.0004), "Cloudflare R2": (0.0045, 0.00036)}
"""Dollars for 1,000 puts or listings, and for 1,000 gets: list prices of 2025."""
BILLED_AS_PUT = ("PutObject", "ListObjectsV2")


def counted(place: Bucket, *arguments: object) -> Counter[tuple[str, str]]:
    """Run a command; return how often it asked for what, by operation and kind of object."""
    place.proxy.asked.clear()
    ended = plait(place, *arguments)
    assert ended.code == 0, ended.err
    return Counter(
        (asked.operation, asked.key.removeprefix(f"{place.prefix}/").partition("/")[0]) for asked in place.proxy.asked
    )


def without_heartbeats(kinds: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Return the requests of a run that took no time: its lease is taken and ended, never renewed."""
    return Counter({**kinds, ("PutObject", "leases"): 2})


def main() -> None:
    """Print the counts and the price."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=10)
    parser.add_argument("--hours", type=float, default=1.0)
    chosen = parser.parse_args()
    tracks = {f"track-{number:02d}": [f"write={number}.txt", "say=done"] for number in range(chosen.tracks)}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with (
            servers.ministack() as s3,
            running_server(root / "prefect") as server,
            bucket(root / "requests", server, s3) as place,
        ):
            spec = place.write_spec(tracks, repository=True)
            first = counted(place, "run", spec, "--json")
            second = counted(place, "run", spec, "--json")
    beats = round(chosen.hours * 3600 / RENEW_EVERY)
    for what, asked in (("everything done", first), ("everything reused", second)):
        kinds = without_heartbeats(asked)
        print(f"{chosen.tracks} tracks, {what}:")
        for (operation, kind), count in sorted(kinds.items()):
            print(f"  {operation:<14} {kind:<10} {count:>5}")
        puts = sum(count for (operation, _), count in kinds.items() if operation in BILLED_AS_PUT)
        gets = sum(kinds.values()) - puts
        print(f"  puts and listings {puts}, gets {gets}; with {beats} heartbeats in {chosen.hours:g} h {puts + beats}")
        for service, (put, get) in PRICES.items():
            print(f"  {service:<28} ${(puts + beats) / 1000 * put + gets / 1000 * get:.5f}")


if __name__ == "__main__":
    main()
