import io
import os
import signal

import pytest
from rich.console import Console

from flows.cli.terminal.board import Board
from flows.cli.terminal.watch import said_afterwards, watched
from tasks.run.progress import Progress, report


def track(task_id, status, message="", seconds=None):
    return Progress("shop", "track", task_id, status, message, seconds)


def drawn(board, height=24, width=80, now=10.0):
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(board.draw(height, now))
    return console.file.getvalue().splitlines()


def test_a_track_has_a_line_with_state_time_and_last_event():
    board = Board("shop", 0.0)
    board.expect(["cart", "pay"])
    board.take(track("cart", "running"), 2.0)
    board.take(Progress("shop", "line", "cart", "running", "writing\ttests"), 3.0)
    lines = drawn(board)
    cart = next(line for line in lines if "cart" in line)
    assert "running" in cart
    assert "8.0 s" in cart
    assert "writing tests" in cart
    assert any("pay" in line and "pending" in line for line in lines)


def test_phases_and_checks_are_shown_and_a_checks_output_is_no_track():
    board = Board("shop", 0.0)
    board.take(Progress("shop", "phase", "initialize", "done", "", 0.5), 1.0)
    board.take(Progress("shop", "check", "unit", "running"), 2.0)
    board.take(Progress("shop", "line", "unit", "running", "12 passed"), 3.0)
    lines = drawn(board)
    assert any("initialize" in line for line in lines)
    assert any("unit" in line and "12 passed" in line for line in lines)
    assert list(board.tracks) == []


@pytest.mark.parametrize("height", [8, 24, 50])
@pytest.mark.parametrize("width", [40, 80, 140])
def test_a_thousand_tracks_fit_any_terminal(height, width):
    board = Board("a-workflow-with-a-rather-long-name", 0.0)
    board.expect([f"track-{number:04}" for number in range(1000)])
    for number in range(600):
        board.take(track(f"track-{number:04}", "running"), 1.0)
        board.take(track(f"track-{number:04}", "completed", "x" * 300, 1.0), 2.0)
    board.take(track("track-0007", "failed", "no context.json"), 3.0)
    for number in range(600, 604):
        board.take(track(f"track-{number:04}", "running"), 4.0)
    for check in range(9):
        board.take(Progress("shop", "check", f"check-{check}", "running"), 5.0)
    lines = drawn(board, height, width)
    assert len(lines) <= height
    assert max(len(line) for line in lines) <= width
    if height >= 24:
        text = "\n".join(lines)
        assert all(f"track-{number:04}" in text for number in (7, 600, 601, 602, 603, 599))
        assert "pending" in lines[-1]
        assert "completed" in lines[-1]


def test_without_a_terminal_every_change_is_one_plain_line():
    out = io.StringIO()
    with watched("shop", ["cart"], Console(file=out, width=60)):
        report(track("cart", "running"))
        report(Progress("shop", "line", "cart", "running", "chatter"))
        report(track("cart", "failed", "[bold]no context.json[/] " + "x" * 100, 1.5))
        report(Progress("shop-file", "run", "http://127.0.0.1:4200/runs/flow-run/1", "running"))
    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0].endswith(" shop: starting, 1 track")
    assert lines[1].endswith("track cart: running")
    assert "track cart: failed (1.5 s)  [bold]no context.json[/] xxx" in lines[2]
    assert lines[3].endswith(" run: http://127.0.0.1:4200/runs/flow-run/1")


def test_the_address_of_the_run_stands_above_the_tracks_and_does_not_name_the_workflow():
    board = Board("shop", 0.0)
    board.expect([f"t{number}" for number in range(40)])
    board.take(Progress("shop", "phase", "initialize", "running"), 1.0)
    board.take(Progress("spec", "run", "http://127.0.0.1:4200/runs/flow-run/1", "running"), 1.0)
    lines = drawn(board)
    assert lines[1].strip() == "http://127.0.0.1:4200/runs/flow-run/1"
    assert len(lines) <= 24
    assert board.workflow_id == "shop"


def test_with_json_nothing_is_shown_but_the_state_is_kept(capfd):
    with watched("shop", ["cart"], None) as board:
        report(track("cart", "completed", seconds=1.0))
    assert board.workflow_id == "shop"
    assert board.tracks["cart"].status == "completed"
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_is_said_at_once_and_raised_once(capfd):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), watched("shop", ["cart"], None) as board:
        os.kill(os.getpid(), signal.SIGINT)
    assert board.stopping
    assert capfd.readouterr().err == "plait: stopping; what is finished is kept\n"
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_held_back_is_said_when_the_board_is_gone(capfd):
    def interrupted():
        with said_afterwards() as later:
            print("\nA notice\n", file=later)
            assert capfd.readouterr().err == ""
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capfd.readouterr().err == "A notice\n"
    with said_afterwards():
        pass
    assert capfd.readouterr().err == ""


def test_the_live_board_leaves_nothing_behind_on_the_terminal():
    out = io.StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, color_system=None)
    with watched("shop", ["cart"], console):
        report(track("cart", "running"))
    assert "\x1b[2K" in out.getvalue()
    assert out.getvalue().rstrip().endswith("\x1b[2K") or "\x1b[?25h" in out.getvalue()


AWAY = Progress("shop", "store", "store", "waiting", "the store does not answer; waiting up to 15 min")


def test_that_the_store_is_waited_for_is_said_wherever_somebody_looks(capsys):
    board = Board("shop", 0.0)
    board.expect(["cart"])
    board.take(AWAY, 1.0)
    assert any("the store does not answer; waiting up to 15 min" in line for line in drawn(board))
    printed = io.StringIO()
    with watched("shop", [], Console(file=printed, width=200)):
        report(AWAY)
    assert "store: the store does not answer; waiting up to 15 min" in printed.getvalue()
    with watched("shop", [], None):
        report(AWAY)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "plait: the store does not answer; waiting up to 15 min\n")
