"""XML for the bookkeeping program of 2019; no command uses it any more."""
from xml.etree import ElementTree

from .entries import Entry


def to_xml(entries: list[Entry]) -> str:
    root = ElementTree.Element("entries")
    for entry in entries:
        ElementTree.SubElement(root, "entry", day=entry.day.isoformat(), minutes=str(entry.minutes), project=entry.project)
    return ElementTree.tostring(root, encoding="unicode")
