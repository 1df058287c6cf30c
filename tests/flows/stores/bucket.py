"""Whole runs of the command line on a bucket behind a proxy, each in a process of its own."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from contexts.store.contexts import ContextStore
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings
from contexts.store.s3.retry import Patience
from tests.chaos.running import Ended, Forked, Machine, Place, fork_as, run_command_line
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for, session_for
from tests.contexts.stores.faults import FaultProxy
from tests.servers import Server

TRACKS = {
    "api": ["write=api.txt", "say=the api is there"],
    "page": ["write=page.txt", "say=the page is there"],
    "tests": ["write=tests.txt", "say=all is tested"],
}
NEEDS: dict[str, dict[str, Any]] = {"tests": {"needs": ["api"]}}


@dataclass(frozen=True)
class Bucket(Place):
    """A case whose store is a prefix of a bucket that is reached through a proxy."""

    s3: servers.Server = field(kw_only=True)
    proxy: FaultProxy = field(kw_only=True)
    prefix: str = field(kw_only=True)

    @property
    def url(self) -> str:
        name = bucket_for(self.s3)
        return f"s3://{name}/{self.prefix}?endpoint_url={self.proxy.endpoint}&region=us-east-1&addressing=path"

    @property
    def store(self) -> ContextStore:
        """The same store without the proxy."""
        settings = S3Settings(endpoint_url=self.s3.endpoint, region="us-east-1", addressing="path")
        return ContextStore(
            S3Objects(bucket_for(self.s3), self.prefix, settings=settings, session=session_for(self.s3))
        )

    @property
    def environment(self) -> dict[str, str]:
        keys = {"AWS_ACCESS_KEY_ID": self.s3.access_key, "AWS_SECRET_ACCESS_KEY": self.s3.secret_key}
        return super().environment | {"PLAIT_STORE": self.url} | keys

    def keys(self) -> Counter[str]:
        """Return how many revisions each document has."""
        return Counter({name: len(numbers) for name, numbers in self.store.revisions(self.workflow_id).items()})


@contextlib.contextmanager
def bucket(folder: Path, server: Server, s3: servers.Server, **settings: Any) -> Iterator[Bucket]:
    """Yield a case with a proxy of its own, in a folder of its own."""
    folder.mkdir(parents=True)
    with FaultProxy(s3.endpoint, **settings).running() as proxy:
        yield Bucket(folder, server, s3=s3, proxy=proxy, prefix=f"runs/{folder.name}")


def begin(
    place: Place,
    *arguments: object,
    seconds: float | None = None,
    machine: Machine | None = None,
    **environment: str,
) -> Forked:
    """Start ``plait ARGUMENTS``, going on with a failing request for so many seconds where 50 is too long to wait."""
    return fork_as(_run_hastily, place, arguments, environment, seconds, machine or Machine())


def plait(place: Place, *arguments: object, **options: Any) -> Ended:
    """Run ``plait ARGUMENTS`` to its end."""
    return begin(place, *arguments, **options).wait(200)


def _run_hastily(
    arguments: list[str], environment: dict[str, str], prefix: str, seconds: float | None, machine: Machine
) -> None:
    import contexts.store.s3.objects  # noqa: PLC0415 only forked processes are to be hasty

    if seconds is not None:
        contexts.store.s3.objects.Patience = partial(Patience, seconds=seconds, longest_wait=0.5, jitter=0.1)
    run_command_line(arguments, environment, prefix, machine)
