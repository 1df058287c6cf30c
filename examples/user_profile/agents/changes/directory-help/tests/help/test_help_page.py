"""The help page, read without a browser."""

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"


def test_the_help_page_explains_the_directory_and_its_links_lead_somewhere():
    page = (STATIC / "help.html").read_text()
    links = re.findall(r'href="([^"]+)"', page)
    assert 'id="directory"' in page
    assert links
    assert [link for link in links if not (STATIC / link).is_file()] == []
