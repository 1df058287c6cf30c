"""The plan says what will happen and what to see to first, from the spec alone."""

from __future__ import annotations

import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contexts.errors import SpecError
from contexts.plan import Plan, groups_of, make_plan, topological_order, transitive_needs, waves
from contexts.plan.globs import MOST_WORK
from contexts.plan.graph import ancestry, longest_path, makespan
from contexts.plan.overlaps import overlaps
from contexts.spec.model import Spec
from tests.document_sets import DocumentSet, read
from tests.steps import calls


def spec_of(tracks: dict[str, dict], **fields: object) -> Spec:
    listed = [{"task_id": task_id, "agent": "x"} | track for task_id, track in tracks.items()]
    return Spec.model_validate_json(json.dumps({"workflow_id": "w", "parallel_tasks": listed} | fields))


def independent(count: int, **track: object) -> Spec:
    return spec_of({f"t{number}": dict(track) for number in range(count)})


def chain(count: int, **track: object) -> Spec:
    return spec_of({f"t{n}": {"needs": [f"t{n - 1}"] if n else []} | track for n in range(count)})


@st.composite
def graphs(draw: st.DrawFn) -> Spec:
    """Draw acyclic needs whose spec order is not already an order to run in."""
    count = draw(st.integers(1, 12))
    rank = draw(st.permutations(range(count)))
    tracks: dict[str, dict] = {}
    for number in range(count):
        earlier = [other for other in range(count) if rank[other] < rank[number]]
        needs = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=4)) if earlier else []
        tracks[f"t{number}"] = {
            "needs": [f"t{need}" for need in needs],
            "estimate_minutes": draw(st.none() | st.integers(0, 60)),
        }
    return spec_of(tracks, max_parallel=draw(st.integers(1, 6)))


@given(graphs())
def test_every_track_comes_after_what_it_needs_and_otherwise_in_spec_order(spec):
    order = topological_order(spec)
    position = {task_id: number for number, task_id in enumerate(order)}
    listed = [track.task_id for track in spec.parallel_tasks]
    assert sorted(order) == sorted(listed)
    done: set[str] = set()
    for task_id in order:
        ready = [t.task_id for t in spec.parallel_tasks if t.task_id not in done and set(t.needs) <= done]
        assert task_id == ready[0]
        done.add(task_id)
    for track in spec.parallel_tasks:
        assert all(position[need] < position[track.task_id] for need in track.needs)


@given(graphs())
def test_transitive_needs_are_the_closure_in_spec_order(spec):
    direct = {track.task_id: set(track.needs) for track in spec.parallel_tasks}
    known = ancestry(spec)
    for task_id, needs in direct.items():
        closure, before = set(needs), None
        while closure != before:
            before = set(closure)
            closure |= {above for need in closure for above in direct[need]}
        found = transitive_needs(spec, task_id)
        assert found == tuple(t.task_id for t in spec.parallel_tasks if t.task_id in closure)
        assert {other for other in direct if known.needs(task_id, other)} == closure


@given(graphs())
def test_a_wave_needs_only_waves_before_it(spec):
    found = waves(spec)
    level = {task_id: number for number, wave in enumerate(found) for task_id in wave}
    for track in spec.parallel_tasks:
        assert level[track.task_id] == max((level[need] + 1 for need in track.needs), default=0)


@given(graphs())
def test_the_makespan_lies_between_its_bounds(spec):
    weights = {track.task_id: float(track.estimate_minutes or 0) for track in spec.parallel_tasks}
    path, critical = longest_path(spec, weights)
    total = sum(weights.values())
    assert critical == sum(weights[task_id] for task_id in path)
    needs = {track.task_id: track.needs for track in spec.parallel_tasks}
    assert all(before in needs[after] for before, after in itertools.pairwise(path))
    assert makespan(spec, weights, 1) == total
    assert makespan(spec, weights, len(weights)) == critical
    span = makespan(spec, weights, spec.max_parallel)
    assert max(critical, total / spec.max_parallel) <= span <= total / spec.max_parallel + critical


@given(graphs())
@settings(deadline=None)
def test_a_plan_survives_json(spec):
    plan = make_plan(spec)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_a_cycle_in_a_spec_made_by_hand_is_refused():
    spec = spec_of({"a": {"needs": ["b"]}, "b": {"needs": ["a"]}, "c": {}})
    with pytest.raises(SpecError, match="cycle"):
        topological_order(spec)
    with pytest.raises(SpecError, match="cycle"):
        make_plan(spec)


def leaves(node) -> list[tuple[str, ...]]:
    return [node.tracks] * bool(node.tracks) + [leaf for inner in node.groups for leaf in leaves(inner)]


def ids(node) -> list[str]:
    return [node.id, *(name for inner in node.groups for name in ids(inner))]


@pytest.mark.parametrize("count", [1, 10, 11, 12, 25, 99, 100, 101, 110, 999, 1000, 1001])
def test_automatic_groups_are_balanced_hold_all_in_spec_order_and_at_most_ten(count):
    tree = groups_of(independent(count))
    found = leaves(tree)
    assert [task_id for leaf in found for task_id in leaf] == [f"t{number}" for number in range(count)]
    assert max(map(len, found)) <= 10
    names = ids(tree)
    assert len(names) == len(set(names))

    def widest(node) -> int:
        return max([len(node.groups), *(widest(inner) for inner in node.groups)])

    assert widest(tree) <= 10
    assert max(map(len, found)) - min(map(len, found)) <= 1
    if count > 10:
        assert not tree.tracks


def test_a_spec_of_ten_tracks_has_no_groups_and_one_of_eleven_has_two():
    assert groups_of(independent(10)).groups == ()
    assert [len(group.tracks) for group in groups_of(independent(11)).groups] == [5, 6]


def test_named_groups_are_taken_as_they_are_and_the_rest_stays_on_top():
    groups = [{"id": "group-1", "tracks": ["t3"], "groups": [{"id": "in", "tracks": ["t1", "t0"]}]}]
    spec = spec_of({f"t{number}": {} for number in range(5)}, groups=groups)
    tree = groups_of(spec)
    assert tree.tracks == ("t2", "t4")
    assert tree.groups[0].id == "group-1"
    assert tree.groups[0].groups[0].tracks == ("t1", "t0")
    many = groups_of(spec_of({f"t{number}": {} for number in range(30)}, groups=groups))
    assert sorted(task_id for leaf in leaves(many) for task_id in leaf) == sorted(f"t{number}" for number in range(30))
    assert len(ids(many)) == len(set(ids(many)))


def test_tracks_that_may_change_the_same_file_are_named_with_what_to_do():
    spec = spec_of({"a": {"owns": ["api/**"]}, "b": {"owns": ["**/models.py"]}, "c": {"owns": ["web/**"]}})
    found = overlaps(spec)
    assert [(o.kind, o.tracks, o.patterns) for o in found.listed] == [
        ("files", ("a", "b"), ("api/**", "**/models.py")),
        ("files", ("b", "c"), ("**/models.py", "web/**")),
    ]
    assert "a and b may both change api/** and **/models.py; let one need the other" in found.listed[0].message
    assert [advice.kind for advice in make_plan(spec).advice].count("warning") == 2


def test_tracks_that_need_each_other_do_not_meet_in_their_files():
    spec = spec_of({"a": {"owns": ["x"]}, "b": {"needs": ["a"]}, "c": {"owns": ["x"], "needs": ["b"]}})
    found = overlaps(spec)
    assert [(o.tracks, o.ordered) for o in found.listed] == [(("a", "c"), True)]
    assert (found.total, found.unsettled) == (1, 0)
    assert "warning" not in [advice.kind for advice in make_plan(spec).advice]


def test_migrations_with_one_name_or_two_heads_are_found():
    spec = spec_of({"a": {"migrations": ["1_x"]}, "b": {"migrations": ["1_x"]}, "c": {"migrations": ["2_y"]}})
    assert [(o.kind, o.tracks) for o in overlaps(spec).listed] == [
        ("migration-name", ("a", "b")),
        ("migration-heads", ("a", "c")),
        ("migration-heads", ("b", "c")),
    ]
    settled = spec_of({"a": {"migrations": ["1_x"]}, "b": {"migrations": ["2_y"], "needs": ["a"]}})
    assert overlaps(settled).total == 0


def test_more_ports_than_are_free_is_an_overlap():
    spec = spec_of({"a": {"ports": 3}, "b": {"ports": 2}, "c": {"ports": 1}}, max_parallel=2)
    assert make_plan(spec).peak_ports == 5
    assert overlaps(spec, free_ports=5).total == 0
    found = overlaps(spec, free_ports=4)
    assert [(o.kind, o.tracks) for o in found.listed] == [("ports", ("a", "b", "c"))]


def test_the_estimate_of_the_printed_example_is_as_computed_by_hand():
    spec = spec_of(
        {"frontend": {"estimate_minutes": 45}, "backend": {"estimate_minutes": 60}, "e2e": {"estimate_minutes": 50}}
    )
    estimate = make_plan(spec).estimate
    assert (estimate.unit, estimate.sequential, estimate.critical, estimate.makespan) == ("minutes", 155, 60, 60)
    assert estimate.critical_path == ("backend",)
    assert estimate.speedup_limit == 155 / 60
    assert estimate.unknown == ()


def test_tracks_without_an_estimate_are_said_and_counted_as_the_mean():
    estimate = make_plan(spec_of({"a": {"estimate_minutes": 10}, "b": {"estimate_minutes": 20}, "c": {}})).estimate
    assert (estimate.unknown, estimate.assumed, estimate.sequential) == (("c",), 15, 45)
    none = make_plan(chain(3)).estimate
    assert (none.unit, none.sequential, none.critical, none.assumed) == ("tracks", 3, 3, None)
    zero = make_plan(independent(2, estimate_minutes=0)).estimate
    assert (zero.speedup_limit, zero.speedup) == (None, None)


def test_max_parallel_limits_the_speedup():
    spec = spec_of({f"t{n}": {"estimate_minutes": 10} for n in range(5)}, max_parallel=2)
    estimate = make_plan(spec).estimate
    assert (estimate.makespan, estimate.speedup_limit) == (30, 5)
    assert math.isclose(estimate.speedup, 50 / 30)


@pytest.mark.parametrize(
    ("spec", "kind", "why"),
    [
        (independent(1), "sequential", "one track"),
        (chain(4), "sequential", "chain"),
        (independent(2), "parallel", "2 tracks"),
        (independent(3), "parallel", "3 tracks"),
        (independent(5), "parallel", "5 tracks"),
        (independent(6), "careful", "6 tracks"),
        (independent(10), "careful", "from 6 to 10"),
        (independent(11), "groups", "more than 10: they are merged in 2 groups first"),
        (independent(1000), "groups", "in 10 groups"),
    ],
)
def test_the_way_to_run_follows_the_number_of_tracks(spec, kind, why):
    first = make_plan(spec).advice[0]
    assert first.kind == kind
    assert why in first.reason


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        ([1, None], "1 of 2 tracks has no estimate_minutes; it is counted as 1 minute, the mean of the rest"),
        (
            [4, None, None],
            "2 of 3 tracks have no estimate_minutes; they are counted as 4 minutes each, the mean of the rest",
        ),
    ],
)
def test_missing_estimates_are_counted_in_words_that_agree(minutes, said):
    tracks = {f"t{n}": {"estimate_minutes": one} if one else {} for n, one in enumerate(minutes)}
    assert said in [one.reason for one in make_plan(spec_of(tracks)).advice]


def test_little_gain_is_warned_about_and_a_long_chain_noted():
    tracks = {f"t{n}": {"needs": [f"t{n - 1}"] if n else [], "estimate_minutes": 60} for n in range(4)}
    advice = make_plan(spec_of(tracks | {"small": {"estimate_minutes": 5}})).advice
    assert any("coordination may cost more" in one.reason for one in advice if one.kind == "warning")
    assert any("t0 -> t1 -> t2 -> t3" in one.reason for one in advice if one.kind == "note")


def test_a_set_is_planned_in_parallel_and_in_its_order(documents: DocumentSet):
    plan = make_plan(Spec.model_validate_json(documents.parent.read_bytes()))
    assert plan.order == tuple(read(one)["task_id"] for one in documents.tracks)
    assert plan.advice[0].kind == "parallel"
    assert plan.overlaps.total == 0


def thousand(**track: object) -> Spec:
    return spec_of(
        {
            f"t{n}": {"needs": [f"t{n - 7}"] if n > 6 else [], "owns": [f"s/t{n}/**", f"d/t{n}.md"]} | track
            for n in range(1000)
        }
    )


def test_the_work_of_planning_grows_with_the_tracks_and_not_with_their_square():
    spec = thousand()
    hundred = spec.model_copy(update={"parallel_tasks": spec.parallel_tasks[:100]})
    assert calls(lambda: make_plan(spec)) < 20 * calls(lambda: make_plan(hundred))
    plan = make_plan(spec)
    assert len(plan.order) == 1000
    assert plan.overlaps.total == 0


@pytest.mark.parametrize(
    "track", [{"owns": ["src/**"]}, {"needs": [], "migrations": ["m"]}], ids=["owns", "migrations"]
)
def test_half_a_million_overlaps_are_counted_and_a_thousand_described(track):
    plan = make_plan(thousand(**track))
    assert plan.overlaps.total == 1000 * 999 // 2
    assert len(plan.overlaps.listed) == 1000
    assert not plan.overlaps.listed[0].ordered
    assert "overlaps in all" in plan.advice[-1].reason


def test_globs_that_were_not_compared_any_more_are_an_overlap_of_their_own():
    spec = spec_of({f"t{number}": {"owns": [f"src/*{number}*"]} for number in range(10, 30)})
    assert (overlaps(spec).total, overlaps(spec).unsettled) == (190, 190)
    found = overlaps(spec, most_work=2_000)
    first = found.listed[0]
    assert (first.kind, first.tracks, first.ordered) == ("files-undecided", ("t11", "t16"), False)
    assert first.patterns == ("src/*11*", "src/*16*")
    assert "not decided from those of t11 and t16 on; shorten owns" in first.message
    assert (found.total, found.unsettled) == (len(found.listed), len(found.listed))


def test_a_plan_of_hostile_globs_is_made_with_bounded_work_and_says_what_it_does_not_know(monkeypatch):
    monkeypatch.setitem(overlaps.__kwdefaults__, "most_work", MOST_WORK // 10)
    segments = "/".join(f"*{chr(0x4E00 + number)}" for number in range(330))
    tracks = {f"t{number}": {"owns": [f"{segments}/{number}*", f"{'*a' * 400}{number}*"]} for number in range(150)}
    plan = make_plan(spec_of(tracks))
    warnings = [advice.reason for advice in plan.advice if advice.kind == "warning"]
    assert "too many or too long" in warnings[0]
