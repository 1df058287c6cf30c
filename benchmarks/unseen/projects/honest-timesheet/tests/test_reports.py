import datetime

from timesheet import reports
from timesheet.entries import Entry

ENTRIES = [
    Entry(datetime.date(2024, 6, 4), 30, "kitchen"),
    Entry(datetime.date(2024, 6, 3), 60, "garden"),
    Entry(datetime.date(2024, 6, 3), 15, "kitchen"),
]


def test_totals():
    assert reports.totals(ENTRIES) == {"garden": 60, "kitchen": 45}


def test_days_are_sorted():
    assert list(reports.days(ENTRIES).items()) == [("2024-06-03", 75), ("2024-06-04", 30)]


def test_nothing():
    assert reports.totals([]) == {}
