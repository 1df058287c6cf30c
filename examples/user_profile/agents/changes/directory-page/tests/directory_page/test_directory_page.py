"""The directory page, read without a browser."""

import json
import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"
API = (STATIC / "directory" / "api.js").read_text()


def constant(name: str) -> dict:
    return json.loads(re.search(rf"export const {name} = (\{{.*?\n\}});", API, re.DOTALL)[1])


def test_every_element_the_script_looks_for_is_on_the_page():
    wanted = set(re.findall(r"find\(\"([\w-]+)\"\)", (STATIC / "directory" / "page.js").read_text()))
    assert wanted
    assert wanted <= set(re.findall(r'data-testid="([\w-]+)"', (STATIC / "directory.html").read_text()))


def test_every_endpoint_is_called_and_every_refusal_has_words():
    endpoints = constant("ENDPOINTS")
    assert set(re.findall(r"call\(\"(\w+)\"", API)) == set(endpoints)
    assert {str(code) for endpoint in endpoints.values() for code in endpoint["errors"]} == set(constant("MESSAGES"))
