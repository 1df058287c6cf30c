import pytest

from timesheet.durations import parse_time, show, span


@pytest.mark.parametrize("text, minutes", [("00:00", 0), ("9:30", 570), ("24:00", 1440)])
def test_parse(text, minutes):
    assert parse_time(text) == minutes


@pytest.mark.parametrize("text", ["", "9", "9:3", "24:01", "25:00", "12:60", "a:00", "-1:00"])
def test_not_a_time(text):
    with pytest.raises(ValueError, match="not a time"):
        parse_time(text)


def test_span():
    assert span("09:00", "12:30") == 210


def test_span_to_the_minute():
    assert span("09:00", "09:50") == 50


def test_no_span():
    with pytest.raises(ValueError):
        span("10:00", "10:00")


def test_show():
    assert [show(0), show(65), show(600)] == ["0:00", "1:05", "10:00"]
