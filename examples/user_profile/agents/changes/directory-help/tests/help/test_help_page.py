"""The help page."""

import re


def test_the_help_page_is_served_and_its_links_lead_somewhere(client):
    page = client.get("/app/help.html")
    links = re.findall(r'href="([^"]+)"', page.text)
    assert 'id="directory"' in page.text
    assert links
    assert [client.get(f"/app/{link}").status_code for link in links] == [200] * len(links)
