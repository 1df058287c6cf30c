"""A store that goes away in the middle of a run: exit code 6 in one sentence, and a later run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contexts.stores import servers
from tests.contexts.stores.faults import Asked, Fault, FaultProxy, Refusal
from tests.flows.stores.bucket import NEEDS, TRACKS, bucket, plait
from tests.flows.stores.test_faults import SIDE_BY_SIDE, Story, assert_nothing_is_lost_or_twice
from tests.servers import Server

POINTS = (1, 4, 7, 10, 13, 16, 19, 21)
"""Requests before the outage begins: from the first one to the last save."""


def away_after(proxy: FaultProxy, requests: int) -> None:
    """Let so many requests through, and none after them."""

    def refuse(_: Asked) -> Refusal | None:
        return Refusal(503, "SlowDown") if len(proxy.asked) > requests else None

    proxy.refuse = refuse


@pytest.fixture(scope="module")
def outages(
    prefect_server: Server, ministack: servers.Server, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[int, Story]:
    """Run one workflow for every point at which the store goes away, and again when it is back."""
    root = tmp_path_factory.mktemp("outages")

    def run(point: int) -> Story:
        with bucket(root / f"after-{point}", prefect_server, ministack) as place:
            spec = place.write_spec(TRACKS, repository=True, settings=NEEDS, policy={"store_patience_minutes": 0})
            away_after(place.proxy, point)
            first = plait(place, "run", spec, "--json", seconds=1.5)
            completed = place.completed()
            place.proxy.refuse = lambda _: None
            second = plait(place, "run", spec, "--json")
            assert sorted(place.started()) == sorted(TRACKS), "what an agent had finished was kept on the machine"
            return Story(place, (first, second), (completed, place.completed()), broken=1)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        futures = {point: pool.submit(run, point) for point in POINTS}
    return {point: future.result() for point, future in futures.items()}


@pytest.mark.parametrize("point", POINTS)
def test_a_run_whose_store_goes_away_ends_with_exit_code_6_and_goes_on_later(
    outages: Mapping[int, Story], point: int
) -> None:
    assert_nothing_is_lost_or_twice(outages[point])


def test_real_time_outs_before_and_after_the_write_cost_time_and_nothing_else(
    prefect_server: Server, ministack: servers.Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with bucket(tmp_path_factory.mktemp("silence") / "case", prefect_server, ministack, silence=30) as place:
        spec = place.write_spec(TRACKS, repository=True, settings=NEEDS)
        # The probe, the lease, and a few requests on: both kinds, in the middle of the run.
        place.proxy.planned = [*[None] * 10, Fault.SILENCE_AFTER, Fault.SILENCE_BEFORE]
        ended = plait(place, "run", spec, "--json")
        assert place.proxy.met == {Fault.SILENCE_AFTER: 1, Fault.SILENCE_BEFORE: 1}
        assert_nothing_is_lost_or_twice(Story(place, (ended,), (place.completed(),), broken=2))
