"""A whole run with a track that attacks whatever it can reach: contained, told, and no hindrance to its sibling."""

import json
import os
import subprocess
from pathlib import Path

import psutil
import pytest

from contexts.local import LocalObjects
from contexts.store import ContextStore
from flows.feature import feature
from tests.flows.specs import git, make_repository
from tests.servers import Server

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
MARK = "PLAIT_TEST_HOSTILE"
ATTACK = r"""
printf x > "$(printf 'caf\351.txt')"; printf x > Case.txt; printf y > case.TXT
printf 'token = "%s"\n' "$TOKEN" > keys.txt
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
    """A program that leaves a file where it was run outside of the walls; only plait's own git could do that."""
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

    assert not canary.exists(), "something planted was run outside of the walls"
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
    assert "../../etc/passwd was claimed as modified, but git shows no change" in said
    assert "keys.txt:1 holds a secret value" in said
    assert track["claims"]["evidence"], "what an agent says of checks is kept apart and proves nothing"
    assert [one["status"] for one in final["evidence"]] == ["passed"]

    kept = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert TOKEN.encode() not in kept
    assert TOKEN not in git(repository, "show", "plait/hostile:keys.txt")
    assert git(repository, "show", "plait/hostile:a.txt") == "a\nb"
    assert "absolute" not in git(repository, "ls-tree", "-r", "--name-only", "plait/hostile")
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
