"""The profile page, read without a browser: its elements, its requests, its limits."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static"


class Elements(HTMLParser):
    """Collect the attributes of every element, by its data-testid."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.by_testid: dict[str, dict[str, str | None]] = {}
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs) | {"tag": tag}
        if "data-testid" in attributes:
            assert attributes["data-testid"] not in self.by_testid, "a data-testid must be unique"
            self.by_testid[attributes["data-testid"]] = attributes
        if "id" in attributes:
            self.ids.add(attributes["id"])
        self.links += [attributes[key] for key in ("src", "href") if attributes.get(key)]


def script(name: str) -> str:
    return (STATIC / "profile" / name).read_text()


def constant(source: str, name: str) -> dict:
    """Read a constant that the script keeps as plain JSON."""
    found = re.search(rf"export const {name} = (\{{.*?\n\}});", source, re.DOTALL)
    assert found, f"{name} is not there"
    return json.loads(found[1])


@pytest.fixture(scope="module")
def page() -> Elements:
    return Elements(STATIC / "profile.html")


def test_every_element_the_script_looks_for_is_on_the_page(page):
    source = script("page.js")
    wanted = set(re.findall(r"find\(\"([\w-]+)\"\)", source))
    wanted |= {f"error-{field}" for field in constant(script("validation.js"), "LIMITS")}
    assert len(wanted) >= 14
    assert wanted <= set(page.by_testid)


def test_every_field_names_its_message_for_screen_readers(page):
    fields = [attributes for attributes in page.by_testid.values() if attributes["tag"] in {"input", "textarea"}]
    assert {field["name"] for field in fields} == set(constant(script("validation.js"), "LIMITS"))
    assert {field["aria-describedby"] for field in fields} <= page.ids


def test_every_link_and_import_leads_to_a_file():
    for name in ("index.html", "profile.html"):
        for link in Elements(STATIC / name).links:
            assert (STATIC / link).is_file(), f"{name} leads to {link}"
    for path in (STATIC / "profile").glob("*.js"):
        for module in re.findall(r"from \"(\..+?)\"", path.read_text()):
            assert (path.parent / module).is_file(), f"{path.name} imports {module}"


def test_every_endpoint_is_called_and_every_refusal_has_words():
    source = script("api.js")
    endpoints = constant(source, "ENDPOINTS")
    assert set(re.findall(r"call\(\"(\w+)\"", source)) == set(endpoints)
    refusals = {str(code) for endpoint in endpoints.values() for code in endpoint["errors"]}
    assert refusals == set(constant(source, "MESSAGES"))


def test_the_picker_offers_exactly_the_types_the_form_accepts(page):
    accepted = constant(script("validation.js"), "LIMITS")["avatar"]["types"]
    assert page.by_testid["avatar-upload"]["accept"].split(",") == accepted


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the scripts are only read, not run")
def test_the_scripts_do_in_node_what_they_say():
    tests = Path(__file__).with_name("profile.test.mjs")
    run = subprocess.run(["node", "--test", str(tests)], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
