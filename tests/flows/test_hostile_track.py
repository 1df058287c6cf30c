"""A whole run with a track that attacks whatever it can reach: contained, told, and no hindrance to its sibling."""

import json
import os
import subprocess
from pathlib import Path

import psutil
import pytest

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.feature import feature
from tests.flows.specs import git, make_repository
from tests.servers import Server

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
MARK = "PLAIT_TEST_HOSTILE"
ATTACK = r"""
printf x > "$(printf 'caf\351.txt')"; printf x > Case.txt; printf y > case.TXT
printf 'token = "%s"\n' "$TOKEN" > keys.txt
printf x > "$TOKEN.txt"
head -c 50000001 /dev/zero > huge.bin
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 5\n' 2 > pointer.lfs
ln -s /etc/passwd absolute; ln -s ../../../.. climbing; mkfifo pipe
mkdir nested; git -C nested init -q; echo z > nested/z
printf '* filter=evil diff=evil merge=evil\n' > .gitattributes
printf '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "%s"\n' "$CANARY" > .gitmodules
for name in filter.evil.clean filter.evil.smudge filter.evil.process diff.evil.command diff.evil.textconv \
    merge.evil.driver core.fsmonitor core.sshCommand core.pager core.editor; do git config $name "$CANARY"; done
mkdir hooks; cp "$CANARY" hooks/post-index-change; cp "$CANARY" hooks/reference-transaction
git config core.hooksPath hooks
(setsid sh -c 'trap "" INT TERM HUP; while :; do sleep 1; done' > /dev/null 2>&1 &) &
yes "the token is $TOKEN, again and again" | head -c 3000000
printf '%s' '{"files_modified": ["../../etc/passwd", "/etc/shadow"], "_checksum": "0", "status": "running", ' > "$PLAIT_CONTEXT"
printf '"decisions": ["use %s"], "evidence": [{"check": "unit", "status": "passed"}]}' "$TOKEN" >> "$PLAIT_CONTEXT"
rm -rf .git; printf 'gitdir: %s/elsewhere\n' "$PWD" > .git
"""


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A program that leaves a file where it was run outside of the sandbox; only plait's own git could do that."""
    program = tmp_path / "canary.sh"
    program.write_text(f'#!/bin/sh\n[ -n "${MARK}" ] || touch {tmp_path / "sang"}\ncat\n', encoding="utf-8")
    program.chmod(0o755)
    subprocess.run([program], stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}, check=True)
    assert (tmp_path / "sang").exists(), "it sings where nothing holds it back"
    (tmp_path / "sang").unlink()
    return tmp_path / "sang"


def test_a_hostile_track_is_contained(prefect_api: Server, workspaces: Path, tmp_path: Path, canary: Path) -> None:
    repository = make_repository(tmp_path / "repository", a__txt="a\n")
    before = sorted(path for path in repository.rglob("*") if "objects" not in path.parts)
    environment = {"TOKEN": TOKEN, "CANARY": str(tmp_path / "canary.sh"), MARK: str(tmp_path)}
    good = "echo b >> a.txt; echo '{}' > \"$PLAIT_CONTEXT\""
    spec = {
        "workflow_id": "hostile",
        "repository": {"path": "repository"},
        "agents": {
            "evil": {"backend": "command", "argv": ["sh", "-c", ATTACK], "env": environment},
            "good": {"backend": "command", "argv": ["sh", "-c", good]},
        },
        "parallel_tasks": [{"task_id": name, "agent": name, "timeout_minutes": 1} for name in ("evil", "good")],
        "verification": {"checks": [{"id": "look", "argv": ["grep", "b", "a.txt"]}]},
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    feature(spec=str(tmp_path / "spec.json"), store=str(tmp_path / "store"), return_state=True)

    assert not canary.exists(), "something planted was run outside of the sandbox"
    assert _survivors(str(tmp_path)) == []
    store = ContextStore(LocalObjects(tmp_path / "store"))
    final, track = store.require("hostile")[1], store.require("hostile", "tracks/evil")[1]
    assert {one["task_id"]: one["status"] for one in final["run"]["tracks"]} == {
        "evil": "completed", "good": "completed",
    }  # fmt: skip
    assert final["run"]["status"] == "verification-failed", "a secret in a file blocks"

    assert track["files_modified"] == [
        ".gitattributes", ".gitmodules", "Case.txt", "caf%E9.txt", "case.TXT", "hooks/post-index-change",
        "hooks/reference-transaction", "keys.txt", "pointer.lfs",
    ]  # fmt: skip
    said = "\n".join(one["message"] for one in track["findings"])
    for path in ("absolute", "climbing", "huge.bin", "nested"):
        assert f"{path} was left out" in said
    assert "its name holds a secret value" in said
    assert "what does not fit a context: /status, /files_modified/0" in said, (
        "a path out of the workspace is no path of it"
    )
    assert "keys.txt:1 holds a secret value" in said
    assert track["claims"]["evidence"], "what an agent says of checks is kept apart and proves nothing"
    assert [one["status"] for one in final["evidence"]] == ["passed"]

    kept = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert TOKEN.encode() not in kept
    assert TOKEN not in git(repository, "show", "plait/hostile:keys.txt")
    assert git(repository, "show", "plait/hostile:a.txt") == "a\nb"
    names = git(repository, "ls-tree", "-r", "--name-only", "plait/hostile")
    assert "absolute" not in names
    assert TOKEN not in names
    assert not canary.exists()
    after = sorted(path for path in repository.rglob("*") if "objects" not in path.parts)
    new = {str(path.relative_to(repository)) for path in after} - {str(path.relative_to(repository)) for path in before}
    assert all("plait" in name for name in new), "the user's repository got the branch and nothing else"


def _survivors(mark: str) -> list[str]:
    """Return the command lines of living processes that carry this test's mark in their environment."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:  # gone meanwhile
            continue
    return found


PLACES = {
    "context-folder": "mkdir $PLAIT_CONTEXT",
    "context-pipe": "mkfifo $PLAIT_CONTEXT",
    "assignment-pipe": "rm $PLAIT_ASSIGNMENT; mkfifo $PLAIT_ASSIGNMENT",
    "assignment-link": "rm $PLAIT_ASSIGNMENT; ln -s $OTHERS/file $PLAIT_ASSIGNMENT",
    "home-link": "rm -rf $HOME; ln -s $OTHERS $HOME",
    "settings-link": "rm -rf $HOME/.config; ln -s $OTHERS $HOME/.config",
    "log-pipe": "cd ..; rm attempt-1.log; mkfifo attempt-1.log attempt-2.log",
    "log-link": "cd ..; rm attempt-1.log; ln -s $OTHERS/file attempt-1.log; ln -s $OTHERS/file attempt-2.log",
    "work-file": "rm -rf $PWD; echo x > $PWD",
    "work-pipe": "rm -rf $PWD; mkfifo $PWD",
    "work-link": "rm -rf $PWD; ln -s $OTHERS $PWD",
    "all-gone": "rm -rf ${PLAIT_CONTEXT%/*}",
    "all-file": "rm -rf ${PLAIT_CONTEXT%/*}; echo x > ${PLAIT_CONTEXT%/*}",
    "all-link": "rm -rf ${PLAIT_CONTEXT%/*}; ln -s $OTHERS ${PLAIT_CONTEXT%/*}",
}
"""What a first attempt makes of its own folder; the second one does the work."""


def test_what_a_track_makes_of_its_own_folder_stops_neither_its_next_attempt_nor_its_siblings(
    prefect_api: Server, workspaces: Path, tmp_path: Path
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    others.chmod(0o755)
    (others / "file").write_text("theirs\n", encoding="utf-8")
    good = "echo '{}' > \"$PLAIT_CONTEXT\"; echo done > done.txt"
    first = "if grep -q '\"attempt\": 1' $PLAIT_ASSIGNMENT; then %s; exit 75; fi; %s"
    spec = {
        "workflow_id": "places",
        "policy": {"retry_backoff_seconds": 0},
        "agents": {
            name: {"backend": "command", "argv": ["sh", "-c", first % (what, good)], "env": {"OTHERS": str(others)}}
            for name, what in PLACES.items()
        }
        | {"good": {"backend": "command", "argv": ["sh", "-c", good]}}
        | {"never": {"backend": "command", "argv": ["sh", "-c", "echo x > done.txt; mkdir $PLAIT_CONTEXT"]}},
        "parallel_tasks": [{"task_id": name, "agent": name, "retries": 1} for name in (*PLACES, "good", "never")],
    }
    (tmp_path / "places.json").write_text(json.dumps(spec), encoding="utf-8")
    state = feature(spec=str(tmp_path / "places.json"), store=str(tmp_path / "store"), return_state=True)
    assert state.name == "Partial"
    store = ContextStore(LocalObjects(tmp_path / "store"))
    ended = {one["task_id"]: one["status"] for one in store.require("places")[1]["run"]["tracks"]}
    assert ended == dict.fromkeys((*PLACES, "good"), "completed") | {"never": "failed"}
    assert "not a plain file" in store.require("places", "tracks/never")[1]["execution"]["reason"]
    assert [path.name for path in others.iterdir()] == ["file"]
    assert (others / "file").read_text(encoding="utf-8") == "theirs\n"
    assert others.stat().st_mode & 0o777 == 0o755
    blobs = [path.read_bytes() for path in (tmp_path / "store" / "blobs").rglob("*") if path.is_file()]
    assert blobs, "logs were saved"
    assert b"theirs\n" not in blobs, "and what a link led to was not taken for one"
