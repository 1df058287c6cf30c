"""A spec file is read whole and exactly, or refused with one clear sentence that names file, line and column."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contexts.errors import SpecError
from contexts.spec.load import check_agents, expand_workflow_id, load_spec, parse_spec, resolve_argv
from contexts.spec.model import Spec
from contexts.spec.read import read_spec_text
from tests.document_sets import DocumentSet, read

GOOD = """\
workflow_id: profile
parallel_tasks:
  - task_id: backend
    agent: python
    owns: ["api/**"]
  - task_id: frontend
    agent: web
    needs: [backend]
"""
AGENT = "agents:\n  python: {backend: command, argv: [python3]}\n"


def refused(text: str | bytes, name: str = "spec.yaml") -> SpecError:
    with pytest.raises(SpecError) as caught:
        parse_spec(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, name=name)
    assert caught.value.exit_code == 2
    assert name in str(caught.value)
    return caught.value


def as_json(**changes: object) -> str:
    return json.dumps({"workflow_id": "a", "parallel_tasks": [{"task_id": "t", "agent": "x"}]} | changes, indent=1)


def test_a_yaml_spec_is_read():
    spec = parse_spec(GOOD.encode(), name="spec.yaml")
    assert [track.task_id for track in spec.parallel_tasks] == ["backend", "frontend"]
    assert spec.parallel_tasks[1].needs == ("backend",)
    assert spec.max_parallel == 5


def test_the_parent_document_of_a_set_is_a_valid_spec(documents: DocumentSet):
    path = documents.parent
    loaded = load_spec(path)
    assert [track.task_id for track in loaded.spec.parallel_tasks] == [read(one)["task_id"] for one in documents.tracks]
    assert loaded.raw == json.loads(path.read_text())
    assert loaded.folder == path.absolute().parent


def test_own_fields_are_kept_as_written_and_ignored_everywhere(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(
        "x-team: {lead: me}\n" + GOOD + "    x-note: mine\n" + "agents:\n  web: {backend: command, argv: [a], x-c: 1, "
        "env: {x-header: kept}}\nsuccess_criteria:\n  area:\n    - plain\n    - {text: better, x-why: none}\n"
    )
    loaded = load_spec(str(path))
    assert loaded.raw["x-team"] == {"lead": "me"}
    assert loaded.raw["parallel_tasks"][1]["x-note"] == "mine"
    assert loaded.spec.agents["web"].env == {"x-header": "kept"}
    assert loaded.spec.success_criteria["area"][1].text == "better"


@pytest.mark.parametrize("name", ["spec.yaml", "spec.json"])
def test_an_unknown_field_is_refused_with_the_nearest_known_name(name):
    text = as_json(parallel_tasks=[{"task_id": "t", "agent": "x", "neds": []}])
    error = refused(text, name)
    assert "unknown field 'neds' in parallel_tasks[0]; did you mean 'needs'?" in str(error)
    assert (error.line, error.column) == (7, 4)


def test_unknown_fields_are_found_at_every_level():
    for changes, field, meant in (
        ({"max_paralel": 3}, "max_paralel", "max_parallel"),
        ({"repository": {"bas": "x"}}, "bas", "base"),
        ({"agents": {"x": {"backend": "command", "argv": ["a"], "envv": {}}}}, "envv", "env"),
        ({"success_criteria": {"a": ["b", {"text": "t", "targt": "1"}]}}, "targt", "target"),
        ({"groups": [{"id": "g", "groups": [{"id": "h", "track": []}]}]}, "track", "tracks"),
        ({"verification": {"checks": [{"id": "c", "argv": ["a"], "knd": "tests"}]}}, "knd", "kind"),
    ):
        assert f"unknown field {field!r}" in str(refused(as_json(**changes)))
        assert f"did you mean {meant!r}?" in str(refused(as_json(**changes)))


def test_an_unknown_backend_is_refused_and_the_known_ones_named():
    error = refused(GOOD + "agents:\n  python:\n    backend: comand\n    argv: [a]\n")
    assert "agents.python.backend 'comand' is not a known backend; did you mean 'command'?; known: command" in str(
        error
    )
    assert error.line == 11


def test_a_task_id_given_twice_is_refused_where_it_stands_again():
    error = refused(GOOD.replace("task_id: frontend", "task_id: backend").replace("    needs: [backend]\n", ""))
    assert "task_id 'backend' is given to parallel_tasks[0] and parallel_tasks[1]" in str(error)
    assert (error.line, error.column) == (6, 14)


def test_needs_naming_nobody_is_refused():
    error = refused(GOOD.replace("[backend]", "[backendd]"))
    assert "track 'frontend' needs 'backendd', which no track is called; did you mean 'backend'?" in str(error)
    assert (error.line, error.column) == (8, 13)
    assert error.place == "parallel_tasks[1].needs[0]"


def test_a_cycle_is_shown():
    tracks = [{"task_id": a, "agent": "x", "needs": [b]} for a, b in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))]
    assert "a -> b -> c -> a" in str(refused(as_json(parallel_tasks=tracks)))
    assert "t -> t" in str(refused(as_json(parallel_tasks=[{"task_id": "t", "agent": "x", "needs": ["t"]}])))


def test_a_cycle_of_thousands_of_tracks_is_found_without_recursion():
    size = 3000
    tracks = [{"task_id": f"t{n}", "agent": "x", "needs": [f"t{(n + 1) % size}"]} for n in range(size)]
    message = str(refused(as_json(parallel_tasks=tracks), "s.json"))
    assert "t0 -> t1 -> " in message
    assert len(message) < 400


def test_no_tracks_is_refused():
    assert "holds no tracks" in str(refused("workflow_id: a\nparallel_tasks: []\n"))
    assert "has no parallel_tasks" in str(refused("workflow_id: a\n"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"parallel_tasks": {}}, "parallel_tasks must be a list, not a mapping"),
        ({"parallel_tasks": [3]}, "parallel_tasks[0] must be a mapping, not the number 3"),
        ({"max_parallel": "5"}, "max_parallel must be a whole number, not the text '5'"),
        ({"max_parallel": 0}, "max_parallel must be greater than or equal to 1"),
        ({"max_parallel": True}, "max_parallel must be a whole number, not true"),
        ({"version": 1.0}, "version must be text, not the number 1.0; put it in quotes"),
        ({"agents": []}, "agents must be a mapping, not a list"),
        ({"agents": {"x": {"argv": ["a"]}}}, "agents.x has no backend"),
        ({"agents": {"x": {"backend": "command"}}}, "agents.x has no argv"),
        ({"success_criteria": {"a": [3]}}, "success_criteria.a[0] must be text, not the number 3"),
        ({"secrets": "keep"}, "secrets must be 'redact' or 'refuse', not 'keep'"),
        ({"policy": {"quorum": 1.5}}, "policy.quorum must be"),
        ({"workflow_id": 7}, "workflow_id must be text, not the number 7; put it in quotes"),
        ({"budget": {"cost_usd": "ten"}}, "budget.cost_usd must be a number, not the text 'ten'"),
        ({"version": "2.0"}, "version 2.0 is newer than this plait knows"),
        ({"version": "one"}, "is not of the form '1.0'"),
    ],
)
@pytest.mark.parametrize("name", ["s.yaml", "s.json"])
def test_a_wrong_type_or_value_is_said_plainly(changes, sentence, name):
    message = str(refused(as_json(**changes), name))
    assert sentence in message
    assert message.count("\n") == 0


@pytest.mark.parametrize(
    "bad", ["..", "../x", "/etc/passwd", "a\0b", "a\x07b", "a/b", "A", "a..b", "x.lock", "", "a\nb"]
)
def test_a_bad_id_is_refused(bad):
    for changes in (
        {"workflow_id": bad},
        {"parallel_tasks": [{"task_id": bad, "agent": "x"}]},
        {"groups": [{"id": bad}]},
        {"verification": {"checks": [{"id": bad, "argv": ["a"]}]}},
    ):
        message = str(refused(as_json(**changes), "s.json"))
        assert message.replace("\n", "").isprintable()


@pytest.mark.parametrize("bad", ["../x", "/etc/passwd", "a\0b", "a\x1bb", "a/../../b", "C:\\x", ""])
def test_a_path_that_leaves_its_folder_is_refused(bad):
    for track in ({"owns": [bad]}, {"context_ref": bad}):
        message = str(refused(as_json(parallel_tasks=[{"task_id": "t", "agent": "x"} | track]), "s.json"))
        assert "parallel_tasks[0]" in message
        assert message.replace("\n", "").isprintable()


def test_a_glob_of_thousands_of_characters_is_refused():
    track = {"task_id": "t", "agent": "x", "owns": ["*a" * 1000]}
    assert "a glob may have 1,000" in str(refused(as_json(parallel_tasks=[track])))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 99)
    | st.floats(0, 9)
    | st.sampled_from(["t", "a", "", "x-y", "..", "1.0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["task_id", "agent", "needs", "x-a", "backend", "argv", "id", "text", "str", "command", "groups"]
            ),
            inner,
            max_size=4,
        )
    ),
)
fields = st.sampled_from(sorted([*Spec.model_fields, "x-own", "unknown"]))


@given(st.dictionaries(fields, anything, max_size=5), st.sampled_from(["s.json", "s.yaml"]))
@settings(max_examples=75, deadline=None)
def test_whatever_is_written_is_a_spec_or_a_spec_error_with_a_place(changes, name):
    said = f"{name}, line "
    try:
        parse_spec(as_json(**changes).encode(), name=name)
    except SpecError as error:
        said = str(error)
    assert said.startswith(f"{name}, line ")
    assert len(said.splitlines()) <= 6


@pytest.mark.usefixtures("outside")
def test_without_the_c_parser_yaml_means_the_same(monkeypatch):
    monkeypatch.delattr(yaml, "CSafeLoader")
    test_yaml_words_dates_and_numbers_mean_what_they_say()
    test_an_unknown_backend_is_refused_and_the_known_ones_named()
    test_syntax_errors_have_line_and_column()
    test_bombs_are_refused_quickly()
    for text in ("a: " + "[" * 5000, "- " * 5000, "a: \x00\n", "a: !!binary aGk=\n"):
        quickly(text, "s.yaml")


def test_an_option_for_git_is_no_branch():
    assert "must not begin with '-'" in str(refused(as_json(repository={"base": "--upload-pack=x"})))


def test_syntax_errors_have_line_and_column():
    error = refused("workflow_id: a\nparallel_tasks: [\n  {task_id: b\n")
    assert error.line >= 3
    assert "not valid YAML" in str(error)
    error = refused('{"workflow_id": "a",\n "parallel_tasks": [}', "s.json")
    assert (error.line, error.column) == (2, 21)
    assert "not valid JSON" in str(error)


def test_a_tab_as_indentation_is_refused_where_it_stands():
    assert refused("a:\n  b: 1\n\tc: 2\n").line == 3


def test_a_key_that_stands_twice_is_refused():
    error = refused("workflow_id: a\nmax_parallel: 1\nworkflow_id: b\n")
    assert "the key 'workflow_id' stands twice in one mapping (first at 1:1)" in str(error)
    assert error.line == 3
    error = refused('{"a": [{"b": 1,\n "c": 2, "b": 3}]}', "s.json")
    assert (error.line, error.column) == (2, 10)


def test_yaml_words_dates_and_numbers_mean_what_they_say():
    text = (
        GOOD
        + "x-a: {a: no, b: on, c: yes, d: true, e: 2025-01-15, f: 12:30:00, g: 1_000, h: 007, i: 1.5, j: ~, on: 1}\n"
    )
    path_value = parse_raw(text)["x-a"]
    assert path_value == {
        "a": "no",
        "b": "on",
        "c": "yes",
        "d": True,
        "e": "2025-01-15",
        "f": "12:30:00",
        "g": "1_000",
        "h": "007",
        "i": 1.5,
        "j": None,
        "on": 1,
    }


def parse_raw(text: str, name: str = "s.yaml") -> dict:
    return read_spec_text(text.encode(), name).value


@given(
    st.dictionaries(
        st.text("abz ~:#-é'\"\\", min_size=1).filter(lambda key: key != "<<"),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**64 - 1)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(exclude_categories=["Cc", "Cs"])),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab~", min_size=1), inner, max_size=3),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_json_is_read_as_it_was_written(value):
    for indent in (None, 2):
        text = json.dumps(value, indent=indent)
        assert parse_raw(text, "s.json") == value
    assert parse_raw(json.dumps(value, ensure_ascii=False).replace("\x7f", ""), "s.json") is not None


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("a: .inf\n", "s.yaml", "not a number JSON can hold"),
        ("a: .nan\n", "s.yaml", "not a number JSON can hold"),
        ("a: 1e999\n", "s.yaml", "too large"),
        ("a: 18446744073709551616\n", "s.yaml", "beyond 64 bits"),
        ("a: " + "9" * 100_000 + "\n", "s.yaml", "beyond 64 bits"),
        ('{"a": NaN}', "s.json", "not a number JSON can hold"),
        ('{"a": -Infinity}', "s.json", "not a number JSON can hold"),
        ('{"a": 1e999}', "s.json", "too large"),
        ('{"a": ' + "9" * 100_000 + "}", "s.json", "beyond 64 bits"),
        ("1: a\n", "s.yaml", "a key must be text, not 1"),
        ("true: a\n", "s.yaml", "a key must be text, not true"),
        ("~: a\n", "s.yaml", "a key must be text, not null"),
        ("? [a]\n: b\n", "s.yaml", "a key must be text, not a list"),
        ("a: !!python/object/apply:os.system [x]\n", "s.yaml", "tag"),
        ("a: !!binary aGk=\n", "s.yaml", "tag"),
        ("a: 1\n---\nb: 2\n", "s.yaml", "more than one YAML document"),
        ("<<: {a: 1}\n", "s.yaml", "merging with <<"),
        ("a: *b\n", "s.yaml", "names no anchor"),
        ("a: &b [*b]\n", "s.yaml", "no anchor that is complete"),
        ("", "s.yaml", "is empty"),
        ("# nothing\n", "s.yaml", "is empty"),
        ("", "s.json", "is empty"),
        ("null", "s.json", "is empty"),
        ("[1]", "s.json", "must be a mapping"),
        ("just text", "s.yaml", "must be a mapping"),
        ('{"a": "\\ud800"}', "s.json", "control character U+D800"),
        ('a: "\\0"\n', "s.yaml", "holds NUL"),
        ("a: \x00\n", "s.yaml", "not valid YAML"),
    ],
)
def test_what_other_readers_would_mangle_is_refused(text, name, sentence):
    error = refused(text, name)
    assert sentence in str(error)
    assert len(str(error)) < 400


def test_not_utf8_is_refused_with_its_place():
    error = refused(b"workflow_id: a\nscope: \xff\n")
    assert "is not UTF-8" in str(error)
    assert (error.line, error.column) == (2, 8)


def quickly(text: str, name: str) -> str:
    return str(refused(text, name))  # a bomb that goes off takes hours, and ends by the suite's own time-out


def test_bombs_are_refused_quickly():
    laughs = "a0: &a0 [lol, lol]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 30))
    assert "aliases expand to more than" in quickly(laughs, "s.yaml")
    long_text = "a: &a " + "x" * 1_000_000 + "\n" + "".join(f"b{n}: *a\n" for n in range(5000))
    assert "aliases expand to more than" in quickly(long_text, "s.yaml")
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300))
    assert "nested deeper" in quickly(chain, "s.yaml") or "aliases expand" in quickly(chain, "s.yaml")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a: " + "[" * 200_000, "s.yaml"),
        ("a: " + "{b: " * 100_000, "s.yaml"),
        ("\n".join(" " * n + "a:" for n in range(1500)), "s.yaml"),
        ("- " * 100_000, "s.yaml"),
        ('{"a": ' + "[" * 200_000 + "]" * 200_000 + "}", "s.json"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "s.json"),
    ],
)
def test_deep_nesting_is_refused_quickly(text, name):
    assert "nested deeper than 100" in quickly(text, name)


@pytest.mark.parametrize(
    "deep",
    [
        pytest.param(lambda depth: "x-a:\n  b: " + "[" * depth + "]" * depth, id="lists in one line"),
        pytest.param(lambda depth: "x-a:\n  b: " + "[" * depth, id="lists that are not closed"),
        pytest.param(lambda depth: "x-a:\n  b: " + "{c: " * depth, id="mappings that are not closed"),
        pytest.param(
            lambda depth: "x-ä:\n  b: " + "[{c: " * (depth // 2) + "d" + "}]" * (depth // 2), id="both in turn"
        ),
        pytest.param(lambda depth: "x-a:\n  b: " + "[\n" * depth + "]" * depth, id="a line each"),
        pytest.param(lambda depth: "x-a:\n  b:\n   " + " -" * depth, id="items in items"),
    ],
)
def test_text_too_deep_is_refused_at_the_same_place_however_deep_it_is(deep):
    at = refused(deep(150))
    assert (at.line or 0) >= 2
    for depth in (101, 500, 997, 998, 999, 1000, 1001, 1002, 1003, 1500, 5000):
        error = refused(deep(depth))
        assert "nested deeper than 100 levels" in str(error), depth
        assert (error.line, error.column) == (at.line, at.column), depth
    assert "nested deeper" not in str(refused(deep(60)))


def test_a_hundred_levels_are_allowed():
    for name in ("s.yaml", "s.json"):
        value = parse_raw('{"x-a": ' + "[" * 99 + "]" * 99 + "}", name)
        assert value["x-a"]
        refused('{"x-a": ' + "[" * 100 + "]" * 100 + "}", name)


def test_aliases_within_reason_are_expanded():
    text = GOOD.replace('owns: ["api/**"]', "owns: &o [api/**]") + "    owns: *o\n"
    spec = parse_spec(text.encode(), name="s.yaml")
    assert spec.parallel_tasks[0].owns == spec.parallel_tasks[1].owns == ("api/**",)


def test_ten_megabytes_are_refused_before_parsing(tmp_path):
    path = tmp_path / "big.yaml"
    path.write_bytes(GOOD.encode() + b"# " + b"x" * 9_999_000 + b"\n")
    with pytest.raises(SpecError, match="may have at most 4,000,000"):
        load_spec(path)


def test_a_path_that_is_no_readable_file_is_refused(tmp_path):
    with pytest.raises(SpecError, match="there is no such file"):
        load_spec(tmp_path / "missing.yaml")
    with pytest.raises(SpecError, match="is a folder"):
        load_spec(tmp_path)
    with pytest.raises(SpecError, match="NUL"):
        load_spec("a\0b")
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SpecError, match="not a regular file"):
        load_spec(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(tmp_path / "loop")


def test_an_unreadable_file_is_refused(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    path = tmp_path / "s.yaml"
    path.write_text(GOOD)
    path.chmod(0)
    with pytest.raises(SpecError, match="cannot be read: Permission denied"):
        load_spec(path)


def test_at_most_five_problems_are_shown_in_the_order_of_the_file():
    tracks = [{"task_id": "A", "agent": "x"} for _ in range(9)]
    lines = str(refused(as_json(parallel_tasks=tracks), "s.json")).splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("s.json, line 5, ")
    assert lines[5].startswith("and ")


def test_groups_may_be_nested_and_hold_every_track_once():
    groups = [{"id": "g", "tracks": ["t"], "groups": [{"id": "h", "groups": [{"id": "i", "tracks": ["t"]}]}]}]
    assert "track 't' is already in groups[0]" in str(refused(as_json(groups=groups)))
    groups = [{"id": "g", "groups": [{"id": "g"}]}]
    assert "group id 'g' is already that of groups[0]" in str(refused(as_json(groups=groups)))
    assert "which no track is called" in str(refused(as_json(groups=[{"id": "g", "tracks": ["tt"]}])))
    spec = parse_spec(as_json(groups=[{"id": "g", "groups": [{"id": "h", "tracks": ["t"]}]}]).encode(), name="s.json")
    assert spec.groups[0].groups[0].tracks == ("t",)


NOON = datetime(2025, 1, 15, 12, 30, 5, tzinfo=timezone(timedelta(hours=2)))


def test_date_and_time_of_a_workflow_id_are_utc():
    assert expand_workflow_id("nightly-{date}-{time}", NOON) == "nightly-20250115-103005"
    assert expand_workflow_id("plain", datetime.now(UTC)) == "plain"
    for bad in ("{day}", "a/{date}", "a{date", "x" * 60 + "{date}"):
        with pytest.raises(SpecError, match="workflow_id"):
            expand_workflow_id(bad, NOON)
    assert parse_spec(as_json(workflow_id="a-{date}").encode(), name="s.json").workflow_id == "a-{date}"
    refused(as_json(workflow_id="a-{dat}"))


def test_only_known_placeholders_are_replaced():
    argv = ("{python}", "{spec_dir}/a.py", "{port}", "{unknown}", "{}", "${HOME}", "{{python}}")
    assert resolve_argv(argv, folder=Path("/spec"), port="80") == (
        sys.executable,
        "/spec/a.py",
        "80",
        "{unknown}",
        "{}",
        "${HOME}",
        "{" + sys.executable + "}",
    )
    assert resolve_argv(["{python}"], folder=Path("{spec_dir}"), python="{spec_dir}") == ("{spec_dir}",)


def test_roles_without_an_agent_are_named_unless_replayed():
    spec = parse_spec((GOOD + AGENT).encode(), name="s.yaml")
    with pytest.raises(SpecError, match="role web; add it under agents") as caught:
        check_agents(spec, folder=Path.cwd())
    assert caught.value.roles == ("web",)
    check_agents(spec, folder=Path.cwd(), replayed={"backend", "frontend"})


def test_a_program_that_does_not_exist_is_named_before_anything_runs(tmp_path):
    for program, good in (
        ("{python}", True),
        ("git", True),
        ("no-such-program", False),
        ("{spec_dir}/agent.sh", True),
        ("{spec_dir}/data.txt", False),
        ("./agent.sh", False),
        ("./missing.sh", False),
        (str(tmp_path), False),
    ):
        (tmp_path / "agent.sh").write_text("#!/bin/sh\n")
        (tmp_path / "agent.sh").chmod(0o755)
        (tmp_path / "data.txt").write_text("")
        agents = {"x": {"backend": "command", "argv": [program]}}
        spec = parse_spec(as_json(agents=agents).encode(), name="s.json")
        if good:
            check_agents(spec, folder=tmp_path)
        else:
            with pytest.raises(SpecError, match=r"agents\.x: th.* program"):
                check_agents(spec, folder=tmp_path)


def test_a_relative_program_is_looked_for_where_the_track_will_work(tmp_path):
    for name in ("agent.sh", "repository/tools/agent.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "repository/.git").mkdir()
    here = {"path": "repository"}
    for program, changes, said in (
        ("tools/agent.sh", {"repository": here}, None),
        ("./agent.sh", {"repository": here}, "write {spec_dir}/./agent.sh"),
        ("./agent.sh", {}, "workspace, which is empty at first; the spec's folder has one"),
        ("tools/none.sh", {"repository": here}, "relative paths start there"),
        ("tools/none.sh", {"repository": here | {"base": "another"}}, None),
        ("tools/none.sh", {"repository": {"path": "https://host/repository"}}, None),
    ):
        agents = {"x": {"backend": "command", "argv": [program]}}
        spec = parse_spec(as_json(agents=agents, **changes).encode(), name="s.json")
        if said is None:
            check_agents(spec, folder=tmp_path)
        else:
            with pytest.raises(SpecError) as caught:
                check_agents(spec, folder=tmp_path)
            assert said in str(caught.value)


def test_a_relative_program_may_come_from_the_track_before(tmp_path):
    tracks = [{"task_id": "a", "agent": "y"}, {"task_id": "b", "agent": "x", "needs": ["a"]}]
    agents = {"x": {"backend": "command", "argv": ["./made.sh"]}, "y": {"backend": "command", "argv": ["git"]}}
    check_agents(parse_spec(as_json(parallel_tasks=tracks, agents=agents).encode(), name="s.json"), folder=tmp_path)
