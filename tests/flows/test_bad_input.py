"""Every way a run's input can be wrong: one clear sentence, exit code 2, nothing written, nothing started.

Each case calls `plait run` as a process. No Prefect server is named or started: what is wrong is found before one is needed,
and a server that had been started would be seen in Prefect's folder.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contexts.documents.base import JsonObject
from contexts.documents.codec import seal
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.flows.specs import LEAVE, git, make_repository, write_spec
from tests.servers import Server, client_environment
from tests.waiting import wait_until

PLAIT = Path(sys.executable).parent / "plait"
SECRET = "ghp_" + "x7Kq2Lm9Rt4Vw8Yz1Bc5" + "Df3Gh6Jn0PsA2eQu"
LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 30))


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Place:
    """A folder with a spec whose one agent leaves a mark when it is started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = folder / "started"
        self.program = f"open({str(self.started)!r}, 'w').close(); {LEAVE}"
        self.environment = client_environment(folder / "prefect") | {
            "PLAIT_WORKSPACES": str(folder / "workspaces"),
            "HOME": str(folder / "home"),
        }

    def spec(self, **changes: Any) -> JsonObject:
        return {
            "workflow_id": "wrong",
            "agents": {"x": {"backend": "command", "argv": ["{python}", "-c", self.program]}},
            "parallel_tasks": [{"task_id": "t", "agent": "x", **changes.pop("track", {})}],
            **changes,
        }

    def run(
        self,
        spec: JsonObject | str,
        *options: str,
        name: str = "",
        store: str = "store",
        environment: Mapping[str, str] | None = None,
    ) -> Said:
        name = name or ("spec.yaml" if isinstance(spec, str) else "spec.json")
        text = spec if isinstance(spec, str) else json.dumps(spec, indent=1)
        (self.folder / name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [PLAIT, "run", name, "--store", store, *options],
            cwd=self.folder,
            env=self.environment | dict(environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def refuses(self, spec: JsonObject | str, *options: str, **more: Any) -> str:
        """Run, make sure of everything every refusal has in common, and return the sentence."""
        said = self.run(spec, *options, **more)
        assert said.code == 2, said
        assert said.out == ""
        assert said.err.startswith("plait: ")
        assert len(said.err.splitlines()) == 1, said.err
        assert "Traceback" not in said.err
        assert not self.started.exists(), "an agent was started"
        for name in ("store", "workspaces", "prefect"):
            assert not (self.folder / name).exists(), f"{name} was written"
        home = self.folder / "home"
        # The compiled rules of the scanner of secrets are the user's, of all workflows.
        assert not home.exists() or {one.name for one in home.iterdir()} <= {".cache"}, "the home was written"
        return said.err


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


CHANGES: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("an unknown field", {"max_paralel": 3}, ("line 19, column 2", "did you mean 'max_parallel'?")),
    ("an unknown field of a track", {"track": {"neds": []}}, ("line 17", "did you mean 'needs'?")),
    ("an unknown backend", {"agents": {"x": {"backend": "comand"}}}, ("'comand'", "did you mean 'command'?")),
    ("needs that name nobody", {"track": {"needs": ["u"]}}, ("needs 'u', which no track is called",)),
    ("no tracks", {"parallel_tasks": []}, ("holds no tracks",)),
    ("a wrong type", {"max_parallel": "3"}, ("line 19, column 18", "must be a whole number, not the text '3'")),
    ("an id with ..", {"workflow_id": ".."}, ("workflow_id '..' is not usable",)),
    ("an id with a slash", {"workflow_id": "/etc"}, ("workflow_id '/etc' is not usable",)),
    ("an id with NUL", {"workflow_id": "a\0b"}, ("workflow_id holds NUL",)),
    ("an id with a control character", {"track": {"task_id": "a\x1bb"}}, ("U+001B",)),
    ("a path with ..", {"track": {"owns": ["a/../../b"]}}, ("must be relative and stay inside",)),
    ("an absolute path", {"track": {"context_ref": "/etc/passwd"}}, ("must be relative and stay inside",)),
    ("a path with NUL", {"track": {"owns": ["a\0"]}}, ("holds NUL",)),
    ("a path with a control character", {"track": {"owns": ["a\x07"]}}, ("U+0007",)),
    ("a program that is not there", {"agents": {"x": {"backend": "command", "argv": ["no-such-program"]}}},
     ("agents.x", "'no-such-program' does not exist")),
    ("a role without an agent", {"agents": {}}, ("no agent is declared for role x", "--replay DIR")),
    ("a recording that never ends", {"agents": {"x": {"backend": "replay", "path": "/dev/zero"}}},
     ("/dev/zero has more than 100 MB",)),
    ("recordings that are not there", {"agents": {"x": {"backend": "replay", "path": "nowhere"}}},
     ("there are no recordings at", "nowhere")),
    ("an estimate beyond all sums", {"track": {"estimate_minutes": 1e308}}, ("estimate_minutes must be less than",)),
    ("checkpoints nobody lives to see", {"track": {"checkpoint_minutes": 1e300}},
     ("checkpoint_minutes must be less than",)),
    ("a newer major version", {"version": "2.0"}, ("version 2.0 is newer than this plait knows",)),
    ("a secret value where none is to be stored", {"secrets": "refuse", "feature_spec": {"summary": "key " + SECRET}},
     ("holds a secret value (github-token) at /feature_spec/summary", "secrets: refuse", "env:NAME")),
    ("no repository", {"repository": {"path": "nowhere"}}, ("there is no repository at", "nowhere")),
    ("a repository that does not answer", {"repository": {"path": "file:///nowhere/at/all"}},
     ("file:///nowhere/at/all cannot be read", "check repository.path")),
]  # fmt: skip


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("changes", "sentences"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_a_spec_that_cannot_be_run_is_refused(
    place: Place, changes: dict[str, Any], sentences: tuple[str, ...]
) -> None:
    said = place.refuses(place.spec(**changes))
    for sentence in sentences:
        assert sentence in said


@pytest.mark.usefixtures("outside")
def test_a_task_id_given_twice_is_refused(place: Place) -> None:
    tracks = [{"task_id": "t", "agent": "x"}, {"task_id": "t", "agent": "x"}]
    assert "task_id 't' is given to parallel_tasks[0] and parallel_tasks[1]" in place.refuses(
        place.spec(parallel_tasks=tracks)
    )


@pytest.mark.usefixtures("outside")
def test_a_cycle_is_refused_and_shown(place: Place) -> None:
    tracks = [{"task_id": one, "agent": "x", "needs": [other]} for one, other in ("ab", "bc", "ca")]
    assert "a -> b -> c -> a" in place.refuses(place.spec(parallel_tasks=tracks))


TEXTS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("YAML", "workflow_id: a\nparallel_tasks: [\n  {task_id: b\n", "s.yaml", ("line 4, column 1", "not valid YAML")),
    ("JSON", '{"workflow_id": "a",\n "parallel_tasks": [}', "s.json", ("line 2, column 21", "not valid JSON")),
    ("a bomb of aliases", LAUGHS, "s.yaml", ("aliases expand to more than 10,000 nodes",)),
    ("ten megabytes", "workflow_id: a\n# " + "x" * 10_000_000, "s.yaml", ("may have at most 4,000,000",)),
    ("deep YAML", "a: " + "[" * 200_000, "s.yaml", ("nested deeper than 100 levels",)),
    ("deep JSON", '{"a": ' + "[" * 200_000 + "]" * 200_000 + "}", "s.json", ("nested deeper than 100 levels",)),
]


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("text", "name", "sentences"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_a_file_that_is_no_spec_is_refused(place: Place, text: str, name: str, sentences: tuple[str, ...]) -> None:
    said = place.refuses(text, name=name)
    for sentence in (name, *sentences):
        assert sentence in said


@pytest.mark.usefixtures("outside")
def test_a_spec_that_cannot_be_read_is_refused(place: Place) -> None:
    (place.folder / "folder").mkdir()
    for name, sentence in (("missing.yaml", "there is no such file"), ("folder", "is a folder")):
        done = subprocess.run(
            [PLAIT, "run", name], cwd=place.folder, env=place.environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert sentence in done.stderr
        assert not (place.folder / "home").exists(), "nor is the default store"


@pytest.mark.usefixtures("outside")
def test_a_repository_that_cannot_serve_is_refused(place: Place) -> None:
    (place.folder / "plain").mkdir()
    (place.folder / "empty").mkdir()
    git(place.folder / "empty", "init", "--quiet")
    repository = make_repository(place.folder / "repository", a__txt="a\n", b__txt="b\n")
    for path, base, sentence in (
        ("plain", "HEAD", "is not a git repository"),
        ("empty", "HEAD", "has no commit yet"),
        ("repository", "nowhere", "has no branch, tag or commit 'nowhere'"),
        (repository.as_uri(), "nowhere", "has no branch, tag or commit 'nowhere'"),
    ):
        assert sentence in place.refuses(place.spec(repository={"path": path, "base": base}))
    setup = {"path": "repository", "setup": [["no-such-setup"]]}
    assert "'no-such-setup' does not exist" in place.refuses(place.spec(repository=setup))
    (repository / "a.txt").write_text("changed\n", encoding="utf-8")
    (repository / "new.txt").write_text("new\n", encoding="utf-8")
    said = place.refuses(place.spec(repository={"path": "repository"}, track={"owns": ["a.txt", "new.txt"]}))
    assert "uncommitted changes in files that tracks own: a.txt, new.txt; commit or stash them" in said
    assert git(repository, "status", "--porcelain") == "M a.txt\n?? new.txt", "it is left as it was"


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("store", ["file", "file/below", "/proc/nowhere/store"])
def test_a_store_that_cannot_be_written_is_refused(place: Place, store: str) -> None:
    (place.folder / "file").write_text("not a folder\n", encoding="utf-8")
    assert "cannot be written" in place.refuses(place.spec(), store=store)
    assert (place.folder / "file").read_text(encoding="utf-8") == "not a folder\n"


def test_a_store_on_a_read_only_folder_is_refused(place: Place) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; the three cases above hold for root too")
    (place.folder / "locked").mkdir(mode=0o500)
    assert "cannot be written" in place.refuses(place.spec(), store="locked/store")


@pytest.mark.usefixtures("outside")
def test_a_stored_document_of_a_newer_major_version_is_refused(place: Place) -> None:
    document = {
        "version": "2.0", "workflow_id": "wrong", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "p",
    }  # fmt: skip
    folder = place.folder / "other" / "documents" / "wrong" / "context"
    folder.mkdir(parents=True)
    (folder / "000001.json").write_bytes(seal(document)[0])
    before = sorted((place.folder / "other").rglob("*"))
    said = place.refuses(place.spec(), store="other")
    assert "has format version 2.0, and this program knows 1.0" in said
    assert sorted((place.folder / "other").rglob("*")) == before


def test_the_second_of_two_runs_of_one_workflow_is_refused(
    place: Place, prefect_server: Server, tmp_path: Path
) -> None:
    """The first goes on undisturbed, whichever spec the second has."""
    gate = tmp_path / "go-on"
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)\n{place.program}"
    first = place.spec(agents={"x": {"backend": "command", "argv": ["{python}", "-c", wait]}})
    said: list[Said] = []
    environment = {"PREFECT_API_URL": prefect_server.url}
    thread = threading.Thread(
        target=lambda: said.append(place.run(first, "--json", name="first.json", environment=environment))
    )
    thread.start()
    try:
        _wait(lambda: list((place.folder / "workspaces").rglob("assignment.json")))
        other = place.run({**place.spec(), "context_summary": "another spec"}, name="other.json")
        assert other.code == 2, other
        assert "wrong" in other.err
        assert len(other.err.splitlines()) == 1
    finally:
        gate.touch()
        thread.join()
    assert said[0].code == 0, said
    assert json.loads(said[0].out)["tracks"][0]["status"] == "completed"


def _wait(there: Callable[[], object]) -> None:
    wait_until("it is there", there)


LEFT: dict[str, tuple[str, str]] = {
    "not-json": ("left.write('{oops')", "the whole of it"),
    "empty": ("pass", "the whole of it"),
    "no-object": ("left.write('[]')", "the whole of it"),
    "too-large": ("left.write('{\"x\": \"' + 'y' * 600_000 + '\"}')", "/x"),
    "enormous": ("left.truncate(50_000_000)", "the whole of it"),
    "wrong-type": ('left.write(\'{"decisions": "one"}\')', "/decisions"),
    "not-utf8": ("left.buffer.write(bytes([123, 34, 255, 34, 58, 49, 125]))", "the whole of it"),
    "deep": ("left.write('{\"a\": ' + '[' * 100_000 + ']' * 100_000 + '}')", "the whole of it"),
    "another-track": ('left.write(\'{"task_id": "good"}\')', "/task_id"),
}
"""Programs that write ``left``, and what the warning names."""


def test_whatever_a_context_holds_its_track_goes_on_and_only_a_missing_one_fails_it_with_its_work_kept(
    prefect_api: Server, workspaces: Path, tmp_path: Path
) -> None:
    from flows.feature import feature  # noqa: PLC0415 Prefect takes a moment to import

    repository = make_repository(tmp_path / "app", readme__md="An application\n")
    made = "import os, pathlib; name = os.environ['PLAIT_TASK_ID']; print('made', name)\n"
    made += "pathlib.Path(name + '.txt').write_text('x')\n"
    write = "with open(os.environ['PLAIT_CONTEXT'], 'w') as left: "
    programs = {name: f"{made}{write}{program}" for name, (program, _) in LEFT.items()}
    programs |= {"missing": made, "idle": "pass", "good": f"{made}{LEAVE}"}
    programs["linked"] = f"{made}os.symlink('/etc/hostname', os.environ['PLAIT_CONTEXT'])"
    spec = write_spec(tmp_path, "contexts", programs, repository={"path": "app", "base": "main"})
    state = feature(spec=spec, store=str(tmp_path / "store"), return_state=True)
    assert state.name == "Partial"
    store = ContextStore(LocalObjects(tmp_path / "store"))
    newest = store.require("contexts")[1]
    lines = {one["task_id"]: one for one in newest["run"]["tracks"]}
    assert {name for name, one in lines.items() if one["status"] == "failed"} == {"missing", "idle", "linked"}
    delivered = git(repository, "ls-tree", "--name-only", "plait/contexts").splitlines()
    assert {f"{name}.txt" for name in (*LEFT, "good")} <= set(delivered)
    for name, (_, named) in LEFT.items():
        document = store.require("contexts", f"tracks/{name}")[1]
        assert document["claims"]
        said = [one for one in document["findings"] if one["rule"] == "claims/context-misfit"]
        assert [one["severity"] for one in said] == ["warning"]
        assert named in said[0]["message"]
    for name in ("missing", "linked"):
        document = store.require("contexts", f"tracks/{name}")[1]
        assert f"its work (1 file) is kept as branch plait/contexts.{name}" in lines[name]["reason"]
        assert document["files_modified"] == [f"{name}.txt"]
        assert git(repository, "rev-parse", f"plait/contexts.{name}") == document["execution"]["commit"]
        assert git(repository, "show", f"plait/contexts.{name}:{name}.txt") == "x"
        assert store.objects.read(f"blobs/contexts/{document['execution']['bundle']['sha256']}")
        log = store.objects.read(f"blobs/contexts/{document['execution']['attempts'][0]['log']['sha256']}")
        assert log == f"made {name}\n".encode(), "its log is kept"
    assert "left no context.json" in lines["missing"]["reason"]
    assert lines["idle"]["reason"].endswith("to $PLAIT_CONTEXT)"), "it has no work to be kept"
