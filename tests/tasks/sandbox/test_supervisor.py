"""A supervised program ends when it must, says how, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tasks.sandbox import processes, supervisor
from tasks.sandbox.outcome import Outcome
from tasks.sandbox.supervisor import run_supervised
from tests.waiting import PATIENCE, wait_until

Run = Callable[..., Outcome]
ROOT = Path(__file__).parents[3]

# A tree of six: the shell, a child, a child in a session of its own, and a double fork whose middle has ended.
TREE = """
sleep 60 &
setsid sh -c 'sleep 60 & sleep 60' &
(setsid sleep 60 &) &
sleep 0.05; echo ready
"""


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str], census: Any) -> Run:
    def call(*argv: str, **options: Any) -> Outcome:
        options.setdefault("deadline", PATIENCE)
        options.setdefault("log", tmp_path / "log")
        options.setdefault("cwd", tmp_path)
        options.setdefault("env", environment | census.variables)
        return run_supervised(argv, **options)

    return call


def test_a_program_that_ends_by_itself_tells_its_status_and_its_output(run: Run, tmp_path: Path) -> None:
    outcome = run("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (outcome.exit_code, outcome.signal, outcome.reason) == (3, None, "exited")
    assert (tmp_path / "log").read_text() == "out\nerr\n"
    assert outcome.log_bytes == 8
    assert not outcome.truncated
    assert not outcome.succeeded
    assert run("true").succeeded


def test_a_program_ended_by_a_signal_tells_which(run: Run) -> None:
    outcome = run("sh", "-c", "kill -SEGV $$")
    assert (outcome.exit_code, outcome.signal, outcome.reason) == (None, signal.SIGSEGV, "exited")
    assert "SIGSEGV" in outcome.message


def test_a_program_reads_nothing_and_sees_only_the_environment_it_was_given(run: Run, tmp_path: Path) -> None:
    assert run("sh", "-c", "cat; env; ls -l /proc/self/fd", env={"PATH": os.environ["PATH"], "ONLY": "this"}).succeeded
    text = (tmp_path / "log").read_text()
    names = {line.split("=")[0] for line in text.splitlines() if "=" in line}
    assert names <= {"PATH", "ONLY", "PLAIT_SUPERVISED", "PWD", "SHLVL", "_"}
    assert "/dev/null" in text
    descriptors = [line.split(" -> ")[0].split()[-1] for line in text.splitlines() if " -> " in line]
    assert sorted(descriptors) == ["0", "1", "2", "3"], "3 is ls's own look at the folder"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["no-such-program"], "there is no program 'no-such-program' on the PATH"),
        (["./no-such-program"], "there is no program './no-such-program'; check the path"),
        (["./plain"], "is not executable; try chmod +x"),
        (["./lost"], "names an interpreter in its first line that does not exist"),
        (["./neither"], "neither a binary"),
        (["true", "x" * 3_000_000], "too long for this system"),
        (["true", "a\0b"], "could not be started: embedded null byte"),
        ([], "argv is empty"),
    ],
)
def test_a_program_that_cannot_start_is_told_in_one_sentence(
    run: Run, tmp_path: Path, argv: list[str], sentence: str
) -> None:
    (tmp_path / "plain").write_text("text")
    for name, content in (("lost", "#!/no/such/interpreter\n"), ("neither", "words\n")):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o755)
    outcome = run(*argv)
    assert outcome.reason == "not-started"
    assert sentence in outcome.message
    assert outcome.exit_code is None


def test_a_folder_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    outcome = run("true", cwd=tmp_path / "nowhere")
    assert outcome.reason == "not-started"
    assert "cannot be entered" in outcome.message


def test_nothing_survives_a_normal_end(run: Run, census: Any) -> None:
    outcome = run("sh", "-c", TREE)
    assert (outcome.exit_code, outcome.reason) == (0, "exited")
    assert outcome.stragglers == 5, outcome
    assert census.living() == []


def test_nothing_survives_a_failure(run: Run, census: Any) -> None:
    outcome = run("sh", "-c", TREE + "sleep 0.1; kill -9 $$")
    assert (outcome.signal, outcome.reason) == (9, "exited")
    assert census.living() == []


def test_nothing_survives_a_deadline(run: Run, census: Any) -> None:
    outcome = run("sh", "-c", TREE + "wait", deadline=1.0)
    assert outcome.reason == "deadline"
    assert census.living() == []


def test_nothing_survives_a_cancel(run: Run, census: Any) -> None:
    cancel = threading.Event()
    ready = threading.Timer(0.0, lambda: (census.wait_for(6), cancel.set()))
    ready.start()
    outcome = run("sh", "-c", TREE + "wait", cancel=cancel)
    ready.join()
    assert outcome.reason == "cancelled"
    assert census.living() == []


def test_a_program_cancelled_beforehand_never_runs(run: Run, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    outcome = run("touch", str(tmp_path / "ran"), cancel=cancel)
    assert outcome.reason == "cancelled"
    assert not (tmp_path / "ran").exists()


def cancelled_once_ready(run: Run, script: str, grace: float = 5.0) -> Outcome:
    """Run a script that says when it is ready, and cancel it then."""
    cancel = threading.Event()
    outcome = run("sh", "-c", script, cancel=cancel, grace=grace, on_line=lambda line: line == "ready" and cancel.set())
    assert outcome.reason == "cancelled"
    return outcome


def test_the_ladder_asks_first_and_kills_last(run: Run, tmp_path: Path) -> None:
    polite = cancelled_once_ready(run, "trap 'echo tidied; exit 7' INT; echo ready; while :; do sleep 0.02; done")
    assert polite.exit_code == 7
    assert "tidied" in (tmp_path / "log").read_text()
    second = cancelled_once_ready(
        run, "trap '' INT; trap 'exit 8' TERM; echo ready; while :; do sleep 0.02; done", grace=2.0
    )
    assert second.exit_code == 8
    deaf = cancelled_once_ready(run, "trap '' INT TERM HUP; echo ready; sleep 3600", grace=0.2)
    assert deaf.signal == 9


def test_an_interrupt_reaches_each_process_once(run: Run, tmp_path: Path) -> None:
    script = "import signal,time\nsignal.signal(signal.SIGINT, lambda *_: print('got', flush=True))\nprint('ready', flush=True)\nsignal.pause()\ntime.sleep(0.5)"
    cancelled_once_ready(run, f'exec {sys.executable} -c "{script}"', grace=PATIENCE)
    assert (tmp_path / "log").read_text() == "ready\ngot\n"


def test_a_stopped_program_is_ended_too(run: Run, census: Any) -> None:
    outcome = run("sh", "-c", "kill -STOP $$", deadline=0.3, grace=0.2)
    assert outcome.reason == "deadline"
    assert census.living() == []


def test_a_bomb_of_forks_is_defused(run: Run, census: Any) -> None:
    script = textwrap.dedent("""
        import os, time, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN)
        end = time.time() + 20
        while time.time() < end:
            pid = os.fork()
            if pid:
                time.sleep(0.005)
                os._exit(0)
            os.setsid()
    """)
    outcome = run(sys.executable, "-c", script)
    assert outcome.reason == "exited"
    assert census.living() == []


def test_a_pipe_that_a_survivor_holds_does_not_hang_it(run: Run) -> None:
    outcome = run("sh", "-c", "setsid sh -c 'trap \"\" INT TERM; sleep 3600' & echo done", grace=0.2)
    assert outcome.exit_code == 0


def test_a_flood_is_bounded_and_the_log_says_so(run: Run, tmp_path: Path) -> None:
    outcome = run("sh", "-c", "yes 0123456789 | head -c 200000000; echo the end", max_log_bytes=1_000_000)
    log = (tmp_path / "log").read_bytes()
    assert outcome.exit_code == 0
    assert outcome.truncated
    assert 999_900 < outcome.log_bytes <= 1_000_000
    assert outcome.dropped_bytes == 200_000_008 - outcome.log_bytes
    assert len(log) < 1_000_300
    assert log.splitlines()[-2].endswith(b"the end")
    assert (
        log.splitlines()[-1] == f"[plait: log limit reached; {outcome.dropped_bytes} bytes were dropped above]".encode()
    )


def test_output_is_cut_between_words_so_that_no_half_secret_is_kept(run: Run, tmp_path: Path) -> None:
    word = "ghp_" + "a" * 36
    run("sh", "-c", f"yes 'x {word}' | head -n 100000", max_log_bytes=100_000)
    words = set((tmp_path / "log").read_text().split())
    assert {one for one in words if "a" * 3 in one} == {word}


@pytest.mark.parametrize("line", ["y", "yes", "yes yes, yes"])
def test_output_just_within_the_limit_is_whole(run: Run, tmp_path: Path, line: str) -> None:
    outcome = run("sh", "-c", f"yes '{line}' | head -c 100000", max_log_bytes=100_000)
    assert not outcome.truncated
    assert (tmp_path / "log").read_bytes() == (f"{line}\n" * 100_000)[:100_000].encode()


def test_the_log_is_written_live(run: Run, tmp_path: Path) -> None:
    seen: list[str] = []
    run("sh", "-c", "echo first; sleep 0.3; echo second", on_line=lambda _: seen.append((tmp_path / "log").read_text()))
    assert seen[0] == "first\n"


def test_lines_come_live_bounded_and_clean(run: Run) -> None:
    lines: list[str] = []
    script = "printf 'a\\033[31mred\\033[0m\\007\\n\\377\\n'; head -c 9000 /dev/zero | tr '\\0' x; printf '\\nprogress 1\\rprogress 2\\nlast'"
    run("sh", "-c", script, on_line=lines.append)
    assert lines[0] == "ared"
    assert lines[1] == "\ufffd"
    assert len(lines[2]) == 2000
    assert lines[-3:] == ["progress 1", "progress 2", "last"]


def test_a_flood_of_lines_does_not_flood_the_watcher(run: Run) -> None:
    lines: list[str] = []
    run("sh", "-c", "yes | head -c 20000000", on_line=lines.append)
    assert 0 < len(lines) < 100_000, "of ten million"


def test_a_slow_watcher_does_not_slow_the_program(run: Run, tmp_path: Path) -> None:
    def slow(_: str) -> None:
        time.sleep(0.005)

    run("sh", "-c", "yes | head -c 50000000; date +%s.%N > ended", on_line=slow)
    assert (tmp_path / "ended").exists()


def test_an_error_in_the_watcher_ends_the_program_and_comes_out(run: Run, census: Any) -> None:
    def broken(_: str) -> None:
        raise LookupError("watcher")

    with pytest.raises(LookupError, match="watcher"):
        run("sh", "-c", TREE + "wait", on_line=broken)
    assert census.living() == []


def test_a_log_that_cannot_grow_does_not_stop_the_program(run: Run) -> None:
    outcome = run("sh", "-c", "yes | head -c 1000000", log=Path("/dev/full"))
    assert outcome.exit_code == 0
    assert outcome.truncated
    assert "the log could not be written" in outcome.message


def test_a_planted_link_is_not_followed_as_log(run: Run, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("keep")
    (tmp_path / "log").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="log"):
        run("echo", "x")
    assert (tmp_path / "target").read_text() == "keep"


def test_a_killed_supervisor_is_noticed_and_its_tree_is_killed(run: Run, census: Any) -> None:
    outcome = run("sh", "-c", TREE + "sleep 0.3; kill -9 $PPID; sleep 60")
    assert outcome.reason == "lost"
    assert "SIGKILL" in outcome.message
    assert outcome.log_bytes == 6
    assert census.living() == []


def test_descendants_are_found_without_lists_of_children_too(run: Run) -> None:
    def compare(line: str) -> None:
        if line == "ready":
            ours = os.getpid()
            found.append((processes.descendants(ours), processes._descendants_by_scan(ours)))

    found: list[tuple[dict[int, int], dict[int, int]]] = []
    run("sh", "-c", TREE + "sleep 0.3", on_line=compare)
    assert len(found[0][0]) >= 6
    assert found[0][0] == found[0][1]


def test_a_stopped_supervisor_does_not_outlast_the_deadline(
    run: Run, census: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_SLACK", 0.2)
    monkeypatch.setattr(supervisor, "_LAST_CHANCE", 0.2)
    outcome = run("sh", "-c", TREE + "sleep 0.1; kill -STOP $PPID; sleep 3600", deadline=2.0, grace=0.1)
    assert outcome.reason == "lost"
    assert census.living() == []


PARENT = """
import signal, sys, threading
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
sys.path.insert(0, {root!r})
from tasks.sandbox.supervisor import run_supervised
def go(number):
    try:
        run_supervised(["sh", "-c", {tree!r} + "wait"], cwd=Path({folder!r}), env={env!r}, deadline=60, grace=0.2,
                       log=Path({folder!r}) / f"log{{number}}")
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        raise
{body}
"""


@contextmanager
def _parent(folder: Path, env: dict[str, str], body: str) -> Generator[subprocess.Popen[bytes]]:
    code = PARENT.format(root=str(ROOT), tree=TREE, folder=str(folder), env=env, body=body)
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        try:
            yield parent
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)  # its fork too
            parent.kill()


def test_nothing_survives_sigkill_of_the_parent(tmp_path: Path, environment: dict[str, str], census: Any) -> None:
    body = "for n in range(3): threading.Thread(target=go, args=(n,)).start()"
    with _parent(tmp_path, environment | census.variables, body) as parent:
        census.wait_for(18)
        parent.kill()
        parent.wait()
        census.wait_for(0)
    # The program is gone a moment before its warden has said why.
    ended = "the plait that started this program has ended"
    wait_until("the log says why", lambda: ended in (tmp_path / "log0").read_text())


def test_nothing_survives_sigkill_of_a_parent_whose_fork_holds_the_pipe(
    tmp_path: Path, environment: dict[str, str], census: Any
) -> None:
    body = "import os, time\nthreading.Thread(target=go, args=(0,)).start()\nsys.stdin.readline()\nif os.fork() == 0:\n    print('forked', flush=True)\n    time.sleep(3600)"
    with _parent(tmp_path, environment | census.variables, body) as parent:
        census.wait_for(6)
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(b"fork now\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == b"forked\n"
        parent.kill()
        parent.wait()
        census.wait_for(0)


def test_nothing_survives_ctrl_c(tmp_path: Path, environment: dict[str, str], census: Any) -> None:
    with _parent(tmp_path, environment | census.variables, "go(0)") as parent:
        census.wait_for(6)
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.stdout is not None
        assert parent.stdout.read() == b"interrupted\n"
        parent.wait()
        assert census.living() == []


def test_a_hundred_at_once_all_end_and_leak_nothing(run: Run, census: Any, tmp_path: Path) -> None:
    run("true")
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    with ThreadPoolExecutor(100) as pool:
        jobs = [
            pool.submit(run, "sh", "-c", f"setsid sleep 60 & sleep 0.5; exit {number}", log=tmp_path / f"log-{number}")
            for number in range(100)
        ]
        outcomes = [job.result() for job in jobs]
    assert [outcome.exit_code for outcome in outcomes] == list(range(100))
    assert all(outcome.stragglers == 1 for outcome in outcomes)
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before
    assert census.living() == []
