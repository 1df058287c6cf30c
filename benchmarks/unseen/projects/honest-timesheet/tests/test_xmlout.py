import datetime

from timesheet.entries import Entry
from timesheet.xmlout import to_xml


def test_xml():
    text = to_xml([Entry(datetime.date(2024, 6, 3), 60, "garden")])
    assert text == '<entries><entry day="2024-06-03" minutes="60" project="garden" /></entries>'
