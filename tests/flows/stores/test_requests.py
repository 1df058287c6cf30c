"""What whole runs ask of a bucket: each object once, one listing, a get per track, and one result of Prefect's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prefect_aws import AwsCredentials
from pydantic import SecretStr

from contexts.store.blocks import S3Contexts
from tests.chaos.running import Ended
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for
from tests.flows.stores.bucket import NEEDS, TRACKS, Bucket, bucket, plait
from tests.servers import ROOT, Server

SECRET = "hush-hush-this-is-the-secret"


def asked(place: Bucket, *arguments: object, code: int = 0) -> tuple[Ended, Counter[tuple[str, str]]]:
    """Run a command; return how it ended, and how often it asked for which key."""
    place.proxy.asked.clear()
    ended = plait(place, *arguments)
    assert ended.code == code, ended.err
    return ended, Counter((one.operation, one.key.removeprefix(f"{place.prefix}/")) for one in place.proxy.asked)


def of(counts: Counter[tuple[str, str]], operation: str, kind: str) -> dict[str, int]:
    return {key: count for (name, key), count in counts.items() if name == operation and key.startswith(kind)}


def test_a_run_puts_each_object_once_and_reads_nothing_of_its_own_again(
    prefect_server: Server, ministack: servers.Server, tmp_path: Path
) -> None:
    with bucket(tmp_path / "first", prefect_server, ministack) as place:
        spec = place.write_spec(TRACKS, repository=True, settings=NEEDS)
        _, first = asked(place, "run", spec, "--json")
        documents = {f"documents/feature/tracks/{name}/000001.json": 1 for name in TRACKS}
        documents |= {f"documents/feature/context/{revision:06d}.json": 1 for revision in (1, 2, 3)}
        assert of(first, "PutObject", "documents/") == documents
        assert set(of(first, "PutObject", "blobs/").values()) == {1}
        assert of(first, "GetObject", "documents/") == {"documents/feature/context/000003.json": 1}, "the summary's"
        assert of(first, "ListObjectsV2", "") == {"documents/feature/": 1}
        assert of(first, "PutObject", "results/") == of(first, "GetObject", "results/") == {}
        assert of(first, "PutObject", "probes/") == {"probes/preconditions": 3}
        assert {name for name, _ in first} == {"PutObject", "GetObject", "ListObjectsV2"}


def test_deciding_reuse_of_a_whole_workflow_costs_one_listing_and_at_most_one_get_per_track(
    prefect_server: Server, ministack: servers.Server, tmp_path: Path
) -> None:
    with bucket(tmp_path / "reuse", prefect_server, ministack) as place:
        spec = place.write_spec(TRACKS, repository=True, settings=NEEDS)
        asked(place, "run", spec, "--json")
        tracks = {f"documents/feature/tracks/{name}/000001.json": 1 for name in TRACKS}
        _, planned = asked(place, "plan", spec)
        assert of(planned, "ListObjectsV2", "") == {"documents/feature/": 1}
        assert of(planned, "GetObject", "documents/feature/tracks/") == tracks
        assert sum(planned.values()) <= 1 + len(tracks) + 1, "and the workflow's own document"
        again, reused = asked(place, "run", spec, "--json")
        assert all(one["reused"] for one in again.report["tracks"])
        assert of(reused, "ListObjectsV2", "") == {"documents/feature/": 1}
        assert of(reused, "GetObject", "documents/feature/tracks/") == tracks
        assert of(reused, "PutObject", "documents/feature/tracks/") == {}


@pytest.fixture
def block(ministack: servers.Server, prefect_api: Server) -> str:
    """Register the blocks by the one command there is, save one, and return its name."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "block", "register", "-m", "contexts.store.blocks"],
        env=os.environ | prefect_api.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return "block:s3-contexts/requests"


def save_block(place: Bucket) -> None:
    credentials = AwsCredentials(
        aws_access_key_id=place.s3.access_key, aws_secret_access_key=SecretStr(SECRET), region_name="us-east-1"
    )
    fields: dict[str, Any] = {"prefix": place.prefix, "endpoint_url": place.proxy.endpoint, "addressing": "path"}
    S3Contexts(bucket=bucket_for(place.s3), credentials=credentials, **fields).save("requests", overwrite=True)


def test_a_block_is_the_same_store_as_its_url_and_keeps_the_merge_as_prefects_only_result(
    block: str, prefect_server: Server, ministack: servers.Server, tmp_path: Path
) -> None:
    with bucket(tmp_path / "block", prefect_server, ministack) as place:
        save_block(place)
        spec = place.write_spec(TRACKS, repository=True, settings=NEEDS)
        first, counts = asked(place, "run", spec, "--json", "--debug", "--store", block)
        (result,) = of(counts, "PutObject", "results/").items()
        assert result[1] == 1
        assert all(one.size < 2_000 for one in place.proxy.asked if "/results/" in one.key), "references only"
        again, counts = asked(place, "run", spec, "--json", "--debug", "--store", block)
        assert of(counts, "PutObject", "results/") == {}, "the cached merge was used"
        assert sum(of(counts, "GetObject", "results/").values()) <= 3
        for ended in (first, again):
            assert SECRET not in ended.out + ended.err
        by_url, _ = asked(place, "run", spec, "--json")
        assert all(one["reused"] for one in (*again.report["tracks"], *by_url.report["tracks"]))
        listed, _ = asked(place, "list", "--store", block)
        assert "feature" in listed.out
        for entry in place.store.objects.list(""):
            assert SECRET.encode() not in place.store.objects.read(entry.key)
