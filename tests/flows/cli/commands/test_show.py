import contextlib
import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from contexts.leases.lease import acquire
from contexts.store.contexts import ContextStore
from flows.cli.terminal.console import SafeConsole
from flows.cli.terminal.outline import print_outline
from tests.flows.cli.documents import head


def test_an_empty_store_is_said_to_be_empty(call):
    result = call("list")
    assert result.code == 0
    assert result.out == ""
    assert "no workflows" in result.err
    assert call("list", "--json").json()["workflows"] == []


def test_list_shows_the_newest_phase_and_counts_revisions(call, shop):
    row = call("list", "--json").json()["workflows"][0]
    assert row["workflow_id"] == "shop"
    assert row["phase"] == "parallel-complete-merge"
    assert (row["documents"], row["revisions"]) == (3, 4)
    shown = call("list").out
    assert "shop" in shown
    assert "parallel-complete-merge" in shown


def test_list_tells_a_run_that_goes_on_from_one_that_was_stopped(call, contexts):
    contexts.save(head("mine", run={"status": "running"}), workflow_id="mine", name="context", after=0)
    lease = acquire(contexts.objects, "mine", owner="somebody")
    assert call("list", "--json").json()["workflows"][0]["status"] == "running"
    lease.release("cancelled")
    assert call("list", "--json").json()["workflows"][0]["status"] == "interrupted"


def test_a_damaged_workflow_does_not_hide_the_others(call, shop, tmp_path):
    call_head = {"version": "1.0", "workflow_id": "other", "timestamp": "2026-01-01T00:00:00Z"}
    shop.save({**call_head, "current_agent": "x", "phase": "p"}, workflow_id="other", name="context", after=0)
    _damage(tmp_path / "store" / "documents" / "other" / "context" / "000001.json")
    result = call("list", "--json")
    assert result.code == call("list").code == 2
    statuses = {row["workflow_id"]: row["status"] for row in result.json()["workflows"]}
    assert statuses["other"] == "damaged"
    assert statuses["shop"] is None
    assert result.err.startswith("plait: other is damaged: ")
    assert "`plait store check other` says more" in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_show_prints_the_newest_document_whole(call, shop):
    shown = call("show", "shop").json()
    assert shown["phase"] == "parallel-complete-merge"
    assert len(shown["conversation_history"]) == 1000
    assert shown["track_contexts"]["cart-impl"]["context"]["implementation_details"] == {"lines": 10}
    assert "_checksum" not in shown
    assert call("show", "shop", "--json").json() == shown


def on_a_terminal(*arguments):
    """Run plait on a terminal of its own, 100 columns wide; what it printed."""
    master, slave = pty.openpty()
    argv = [str(Path(sys.executable).with_name("plait")), *arguments]
    environment = os.environ | {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "100"}
    with subprocess.Popen(argv, env=environment, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        said = b""
        with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
            while more := os.read(master, 65536):
                said += more
        os.close(master)
        assert process.wait(30) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).replace("\r\n", "\n")


@pytest.mark.usefixtures("outside")
def test_show_on_a_terminal_is_an_outline_of_one_screen_that_names_the_command_for_the_rest(shop):
    latest = shop.require("shop")[1]
    tracks = [{"task_id": f"track-{number}", "status": "completed"} for number in range(50)]
    tracks.append({"task_id": "cart-impl", "status": "failed", "reason": "exit code 3"})
    more = {
        "decisions": [{"topic": f"topic {number}", "choice": "yes"} for number in range(9)],
        "findings": [{"rule": "r", "severity": "blocking", "message": "too\x1b[31m slow"}],
        "run": {"tracks": tracks},
        "phase": "q",
    }
    shop.save({**latest, **more}, workflow_id="shop", name="context", after=2)
    said = on_a_terminal("show", "shop")
    lines = said.splitlines()
    assert len(lines) < 60
    assert lines[0] == "shop/context@3"
    for words in (
        "cart-impl  failed", "and 31 more", "exit code 3", "decisions: 9 entries", "topic 4: yes", "and 4 more",
        "findings: 1 entry (1 blocking)", "evidence", "1 entry (1 passed)", "1,000 entries", "blocking: too\u2039U+001B",
        "`plait show shop --full` prints the whole document",
    ):  # fmt: skip
        assert words in said, words
    whole = on_a_terminal("show", "shop", "--full")
    assert len(whole.splitlines()) > 1000
    assert "turn 999" in whole


@pytest.mark.usefixtures("outside")
def test_show_on_a_terminal_says_how_to_get_the_whole_of_what_was_asked_for(shop):
    assert "`plait show shop pay-impl -r 1 --full` prints" in on_a_terminal("show", "shop", "pay-impl", "-r", "1")
    assert "--full` prints" not in on_a_terminal("show", "shop", "--json")


def test_show_finds_a_revision_and_a_track_by_its_bare_name(call, shop):
    assert call("show", "shop", "--revision", 1).json()["phase"] == "parallel-execution"
    assert call("show", "shop", "pay-impl").json()["task_id"] == "pay-impl"
    assert call("show", "shop", "tracks/pay-impl", "-r", 1).json()["task_id"] == "pay-impl"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "shopp"), "did you mean shop?"),
        (("show", "zzz"), "`plait list`"),
        (("show", "../../etc"), "not usable"),
        (("show", "shop", "pay-imp"), "pay-impl"),
        (("show", "shop", "--revision", "9"), "has no revision 9; it has 1 to 2"),
        (("history", "sho"), "did you mean shop?"),
        (("diff", "shop", "1", "7"), "no revision 7"),
        (("export", "nope", "x"), "no workflow"),
        (("store", "check", "nope"), "no workflow"),
        (("resume", "sho"), "did you mean shop?"),
    ],
)
def test_what_is_not_there_is_bad_input_with_near_names(call, shop, arguments, said):
    result = call(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert said in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_history_lists_every_revision_of_every_document(call, shop):
    rows = call("history", "shop", "--json").json()["revisions"]
    assert [(row["document"], row["revision"]) for row in rows] == [
        ("context", 1),
        ("context", 2),
        ("tracks/cart-impl", 1),
        ("tracks/pay-impl", 1),
    ]
    assert all(len(row["sha256"]) == 64 and row["size"] > 100 and row["agent"] for row in rows)
    assert "tracks/pay-impl" in call("history", "shop").out


def test_history_shows_a_damaged_revision_among_the_others(call, shop, tmp_path):
    _damage(tmp_path / "store" / "documents" / "shop" / "context" / "000001.json")
    result = call("history", "shop", "--json")
    assert result.code == 2
    assert ["damaged" in row for row in result.json()["revisions"]] == [True, False, False, False]
    assert "checksum" in result.err or "damaged" in result.err


def test_a_damaged_document_is_refused_by_show(call, shop, tmp_path):
    _damage(tmp_path / "store" / "documents" / "shop" / "context" / "000002.json")
    result = call("show", "shop")
    assert result.code == 2
    assert result.out == ""


def test_diff_with_json_is_a_patch_that_turns_one_revision_into_the_other(call, shop: ContextStore):
    import jsonpatch  # noqa: PLC0415 used here only

    patch = call("diff", "shop", 1, 2, "--json").json()["patch"]
    before, after = (shop.load_revision("shop", "context", number)[1] for number in (1, 2))
    for document in (before, after):
        del document["_checksum"]
    assert jsonpatch.apply_patch(before, patch) == after


def test_diff_names_what_changed_by_pointer_with_old_and_new_value(call, shop):
    lines = call("diff", "shop", 1, 2).out.splitlines()
    assert '~ /phase  "parallel-execution" -> "parallel-complete-merge"' in lines
    assert any(line.startswith("- /parallel_tasks") for line in lines)
    assert any(line.startswith("+ /evidence") for line in lines)
    equal = call("diff", "shop", 1, 1)
    assert (equal.code, equal.out) == (0, "")
    assert "equal" in equal.err


def test_diff_of_a_track(call, shop: ContextStore):
    _, document = shop.load_revision("shop", "tracks/cart-impl", 1)
    shop.save({**document, "decisions": ["another"]}, workflow_id="shop", name="tracks/cart-impl", after=1)
    assert (
        call("diff", "shop", 1, 2, "--doc", "cart-impl").out.strip()
        == '~ /decisions/0  "decide cart-impl" -> "another"'
    )


def _damage(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"1.0", b"1.1", 1))


def test_the_outline_shows_names_of_members_as_text_whatever_they_say():
    written = StringIO()
    name = "[link=http://192.0.2.1/]here[/link][/no-such-tag]\x1b[31m"
    console = SafeConsole(file=written, force_terminal=True, width=120)
    print_outline(console, "shop", {name: [1, 2]}, whole="plait show shop --full")
    shown = written.getvalue()
    assert "\x1b]8;" not in shown
    assert "\x1b[31m" not in shown
    assert "[link=http://192.0.2.1/]here" in shown
