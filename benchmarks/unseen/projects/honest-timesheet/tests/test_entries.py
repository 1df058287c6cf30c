import datetime

import pytest

from timesheet.entries import BadLine, Entry, parse


def test_one_line():
    assert parse("2024-06-03\t09:00\t12:30\tgarden\n") == [Entry(datetime.date(2024, 6, 3), 210, "garden")]


def test_comments_and_empty_lines():
    assert parse("# June\n\n   \n") == []


@pytest.mark.parametrize("line, reason", [
    ("2024-06-03 09:00", "four columns"),
    ("2024-06-31\t09:00\t10:00\tx", "line 2"),
    ("2024-06-03\t11:00\t10:00\tx", "no span"),
])
def test_bad_lines(line, reason):
    with pytest.raises(BadLine, match=reason) as info:
        parse("# first\n" + line)
    assert info.value.number == 2
