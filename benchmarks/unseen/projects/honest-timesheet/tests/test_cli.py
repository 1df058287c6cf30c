import pytest

from timesheet.cli import main


def test_totals(june, capsys):
    assert main(["totals", str(june)]) == 0
    assert capsys.readouterr().out == "garden     7:45\nkitchen    4:10\n"


def test_days_lists_each_day(june, capsys):
    assert main(["days", str(june)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["2024-06-03", "2024-06-04", "2024-06-11"]


def test_missing_file(tmp_path, capsys):
    assert main(["totals", str(tmp_path / "none")]) == 2
    assert "timesheet:" in capsys.readouterr().err


def test_unknown_command():
    with pytest.raises(SystemExit):
        main(["dance", "x"])
