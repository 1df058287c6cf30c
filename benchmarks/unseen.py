"""Measure what verification makes of material whose authors had not read its rules.

    PYTHONPATH=. python benchmarks/unseen.py [CLASS ...] [--only NAME] [--prose FOLDER] [--json FILE]

The material lies in `benchmarks/unseen`, a folder per class: a YAML file per scenario and `key.yaml`, which says what
is right. A scenario holds a base project, a spec, and per track what its agent writes and hands in; each is run whole,
by `plait run` on a Prefect server of the script's own. README.md there says how to read the figures. `--prose` takes a
folder of text files, whose sentences are handed in as summaries, decisions, actions and notes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from benchmarks.table import show
from tests.servers import running_server

MATERIAL = Path(__file__).parent / "unseen"
CLASSES = ("honest", "documents", "tampering", "lying-checks", "defects")
SENTENCES = 2_000
PER_TRACK = 25
PLAIT = Path(sys.executable).parent / "plait"
TYPESCRIPT = MATERIAL.parents[1] / ".cache" / "typescript" / "node_modules"
AGENT = """\
import json, os, pathlib
here = pathlib.Path(__file__).parent
track = json.loads((here / "tracks.json").read_text())[os.environ["PLAIT_TASK_ID"]]
for name in track.get("delete", []):
    pathlib.Path(name).unlink()
for name, content in track.get("files", {}).items():
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
for one in track.get("replace", []):
    path = pathlib.Path(one["path"])
    text = path.read_text()
    assert one["old"] in text, f"{path} does not hold {one['old']!r}"
    path.write_text(text.replace(one["old"], one["new"], 1))
for name in track.get("executable", []):
    pathlib.Path(name).chmod(0o755)
left = track.get("handin", {})
pathlib.Path(os.environ["PLAIT_CONTEXT"]).write_text(left if isinstance(left, str) else json.dumps(left))
"""


@dataclass(frozen=True)
class Told:
    """What plait said of one scenario.

    Attributes:
        status: The run's status.
        reasons: Why it is not verified.
        findings: Severity, rule and message with the quoted places, of each finding.
        notes: What evidence says beside its status, by check.
        problem: Why there is no context to read.
    """

    status: str
    reasons: tuple[str, ...]
    findings: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    problem: str = ""

    def of(self, severity: str) -> list[tuple[str, str, str]]:
        """Return the findings of one severity."""
        return [one for one in self.findings if one[0] == severity]

    def names(self, words: Sequence[str]) -> bool:
        """Tell whether one thing that was said names all of some words."""
        said = [*self.reasons, *self.notes, *(f"{rule} {text}" for _, rule, text in self.findings)]
        return any(all(word.lower() in one.lower() for word in words) for one in said)


def scenarios(folder: Path, kind: str, only: str | None) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield name, scenario and key; nothing of a class there is no material of."""
    if not (folder / kind / "key.yaml").is_file():
        print(f"{kind}: there is no material of this class")
        return
    key: Mapping[str, Any] = yaml.safe_load((folder / kind / "key.yaml").read_text())
    for path in sorted((folder / kind).glob("*.yaml")):
        if path.stem != "key" and only in {None, path.stem}:
            yield path.stem, yaml.safe_load(path.read_text()), key[path.stem]


def git(folder: Path, *argv: str) -> None:
    """Run git as an author of its own."""
    names = ("-c", "user.name=Base", "-c", "user.email=base@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *names, *argv], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def lay_out(material: Path, scenario: Mapping[str, Any], place: Path) -> Path:
    """Write a scenario's repository and spec into an empty folder and return the spec."""
    repository = place / "repository"
    repository.mkdir()
    if project := scenario.get("project"):
        shutil.copytree(material / "projects" / project, repository, dirs_exist_ok=True)
    for name, content in (scenario.get("base") or {}).items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        if content.startswith("#!"):
            path.chmod(0o755)
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "--allow-empty", "-m", "Base")
    folder = place / "spec"
    folder.mkdir()
    (folder / "agent.py").write_text(AGENT)
    (folder / "tracks.json").write_text(json.dumps(scenario["tracks"]))
    agents = {one["agent"] for one in scenario["spec"]["parallel_tasks"]}
    spec = {
        **scenario["spec"],
        "repository": {"path": str(repository), "base": "main"},
        "agents": {one: {"backend": "command", "argv": ["{python}", "{spec_dir}/agent.py"]} for one in agents},
    }
    if TYPESCRIPT.is_dir() and any(".ts" in text for text in _paths(scenario)):
        # A project of TypeScript has its compiler installed.
        told = spec.setdefault("verification", {})
        told["setup"] = [["ln", "-s", str(TYPESCRIPT), "node_modules"], *told.get("setup", [])]
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def _paths(scenario: Mapping[str, Any]) -> list[str]:
    return [name for track in scenario["tracks"].values() for name in track.get("files", {})]


def run(material: Path, scenario: Mapping[str, Any], environment: Mapping[str, str]) -> Told:
    """Run a scenario in a folder of its own and return what plait said."""
    with tempfile.TemporaryDirectory(prefix="plait-unseen-") as name:
        place = Path(name)
        spec = lay_out(material, scenario, place)
        own = {**environment, "XDG_STATE_HOME": str(place / "state")}
        store = ["--store", str(place / "store")]
        ran = _plait("run", spec, *store, "--json", env=own)
        shown = _plait("show", scenario["spec"]["workflow_id"], *store, "--json", env=own)
    if shown.returncode:
        return Told("none", (), (), (), problem=(ran.stderr or ran.stdout)[-2000:])
    context = json.loads(shown.stdout)
    findings = tuple(
        (one["severity"], one["rule"], " ".join([one["message"], *map(_place, one.get("sources") or [])]))
        for one in context.get("findings") or []
    )
    notes = tuple(
        f"{one['check']}: {text}"
        for one in context.get("evidence") or []
        for text in [one.get("reason") or "", *(one.get("notes") or [])]
        if text
    )
    record = context.get("run") or {}
    return Told(
        record.get("status") or context.get("status") or "none", tuple(record.get("reasons") or ()), findings, notes
    )


def _plait(*argv: str | Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PLAIT, *argv], check=False, env=env, capture_output=True, text=True)


def _place(source: Mapping[str, str]) -> str:
    return f"[{source.get('document')} {source.get('pointer')} {source.get('quote')}]"


def _said(told: Told) -> list[str]:
    return [
        told.problem,
        *told.reasons,
        *(f"{severity} {rule}: {text[:300]}" for severity, rule, text in told.findings),
    ]


def right(kind: str, key: Mapping[str, Any], told: Told) -> bool:
    """Tell whether plait said what the key wants."""
    if kind == "honest":
        return told.status == "verified"
    if kind in {"documents", "prose"}:
        return not told.of("blocking") and not told.problem
    if kind == "defects":
        if key["expected"] == "clean":
            return not told.of("blocking") and told.status in {"verified", "completed"}
        return any(told.names(words) for words in key["mentions"])
    return told.status not in {"verified", "none"}


def handed_in(folder: Path) -> Mapping[str, Any]:
    """Return a scenario in which tracks hand in sentences of text files, taken evenly from all of them."""
    texts = (path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file())
    every = (
        " ".join(one.split()) for text in texts for one in re.split(r"(?<=[.!?])\s+|\n\s*\n|\n\s*[-*#>]+\s+", text)
    )
    distinct = list(dict.fromkeys(one[:400] for one in every if len(one.split()) > 3))
    some = distinct[:: max(1, len(distinct) // SENTENCES)][:SENTENCES]
    tracks: dict[str, Any] = {}
    for number, at in enumerate(range(0, len(some), PER_TRACK)):
        own = some[at : at + PER_TRACK]
        tracks[f"t{number}"] = {
            "handin": {
                "summary": own[0],
                "decisions": [{"topic": f"topic {number}.{n}", "choice": one} for n, one in enumerate(own[1:8])],
                "pending_actions": [{"action": one, "subject": f"part {number}"} for one in own[8:14]],
                "notes": own[14:],
            }
        }
    print(f"{len(some)} sentences of {folder}, sha256 {sha256(json.dumps(some).encode()).hexdigest()}")
    listed = [{"task_id": name, "agent": "writer"} for name in tracks]
    return {"spec": {"workflow_id": "prose", "parallel_tasks": listed}, "tracks": tracks}


def main() -> int:
    """Run the material and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("classes", nargs="*", default=list(CLASSES))
    parser.add_argument("--only")
    parser.add_argument("--prose", type=Path)
    parser.add_argument("--material", type=Path, default=MATERIAL)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[tuple[str | int, ...]] = []
    kept: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="plait-unseen-") as home, running_server(Path(home)) as server:
        environment = server.environment | {"PATH": os.environ["PATH"]}
        work = [(kind, list(scenarios(given.material, kind, given.only))) for kind in given.classes]
        if given.prose:
            work.append(("prose", [("sentences", handed_in(given.prose), {})]))
        for kind, members in work:
            told: list[tuple[str, bool, Told]] = []
            for name, scenario, key in members:
                said = run(given.material, scenario, environment)
                good = right(kind, key, said)
                told.append((name, good, said))
                print(f"{kind}/{name}: {'as expected' if good else 'NOT AS EXPECTED'}, {said.status}", flush=True)
                for line in [] if good else _said(said):
                    print(f"    {line}")
            kept[kind] = {name: asdict(said) | {"as_expected": good} for name, good, said in told}
            severe = [sum(len(said.of(one)) for _, _, said in told) for one in ("blocking", "warning")]
            severe = [sum(len(said.of(one)) for _, _, said in told) for one in ("blocking", "warning")]
            rows.append((kind, len(told), sum(good for _, good, _ in told), *severe))
    show("unseen material", ("class", "scenarios", "as expected", "blocking", "warnings"), rows)
    if given.json:
        given.json.write_text(json.dumps(kept, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
