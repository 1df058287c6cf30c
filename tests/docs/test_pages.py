"""What the pages say is so: specs load, links lead somewhere, commands and options exist, generated pages are new."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import orjson
import pytest
import yaml

from contexts.spec.load import load_spec, parse_spec
from contexts.spec.reference_page import spec_reference
from flows.cli.app import build
from tests.docs.commands import ELSEWHERE, NO_COMMANDS, NOT_RUN, SHELLS, fences, pages, shown, steps
from tests.servers import ROOT

PAGES = pages()


def test_the_spec_reference_is_up_to_date() -> None:
    page = (ROOT / "docs" / "reference" / "spec.md").read_text(encoding="utf-8")
    assert page == spec_reference(), "make docs"


def specs() -> list[tuple[str, str]]:
    """Return every fence that holds a spec or a part of one, with where it stands."""
    return [
        (f"{shown(page)}:{line}", body)
        for page in PAGES
        for line, language, _, body in fences(page)
        if language == "yaml"
    ]


@pytest.mark.parametrize(("place", "body"), specs())
def test_every_spec_of_the_pages_loads(place: str, body: str) -> None:
    value = yaml.safe_load(body)
    if "parallel_tasks" not in value:
        # A part of a spec: in a whole one that has what the part refers to.
        part = dict(value)
        checks = [{"id": "unit", "argv": ["true"]}]
        value = {
            "workflow_id": "part",
            "agents": {"some": {"backend": "command", "argv": ["true"]}},
            "parallel_tasks": [{"task_id": "one", "agent": "some"}],
            "verification": {"checks": checks},
            "success_criteria": {"backend": ["one", "two", "three"]},
            **part,
        }
    assert parse_spec(orjson.dumps(value), name=f"{place}.json").workflow_id


@pytest.mark.parametrize(("place", "body"), [(at, body) for at, body in specs() if "parallel_tasks" in body])
def test_every_whole_spec_loads_from_its_very_text(place: str, body: str) -> None:
    assert parse_spec(body.encode(), name=f"{place}.yaml").parallel_tasks


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.yaml")), ids=lambda path: path.parent.name)
def test_every_spec_of_the_examples_loads(path: Path) -> None:
    assert load_spec(path).spec.parallel_tasks


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_fence_says_what_it_holds(page: Path) -> None:
    for line, language, _, _ in fences(page):
        assert language in SHELLS | (NO_COMMANDS - {""}), f"{shown(page)}:{line}: a fence is marked {language!r}"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_no_command_hides_outside_a_fence(page: Path) -> None:
    """Indented text is code too, and would not be run."""
    programs = r"(plait|prefect|make|python3?|pip|git|cd|npm|npx|aws|mc|export|uv)"
    inside = {number for line, _, _, body in fences(page) for number in range(line, line + body.count("\n") + 1)}
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if number not in inside:
            assert not re.match(rf" {{4,}}(\$ )?{programs} ", line), f"{shown(page)}:{number}: fence this as sh"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{shown(page)} links to {target}, which is not there"
        if anchor:
            assert anchor in anchors(there), f"{shown(page)} links to {target}; {there.name} has no such heading"


@cache
def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def mentioned() -> list[tuple[str, str]]:
    """Return every use of `plait` in the pages: inline code and commands, with where it stands."""
    found: dict[str, str] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for use in re.findall(r"`(plait [^`]+)`", " ".join(text.split())):
            found.setdefault(use, shown(page))
        for step in steps(page):
            if not step.file and step.text.startswith("plait "):
                found.setdefault(step.text, shown(page))
    return [(place, use) for use, place in found.items()]


@cache
def help_of(command: tuple[str, ...]) -> str:
    plait = Path(sys.executable).parent / "plait"
    done = subprocess.run([plait, *command, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("place", "use"), mentioned())
def test_every_command_and_option_of_plait_that_is_mentioned_exists(place: str, use: str) -> None:
    words = use.split("#", maxsplit=1)[0].split()
    if words[1].startswith("-") or words[1] in {"COMMAND", "plait"}:
        return
    commands = set(build())
    assert words[1] in commands, f"{place}: there is no `plait {words[1]}`"
    command = tuple(words[1:3]) if words[1] == "store" else (words[1],)
    everywhere = {"--store", "--json", "--debug", "--help"}
    for option in re.findall(r"(?<!\S)(--[a-z-]+)", use):
        assert option in everywhere or option in help_of(command), f"{place}: `plait {words[1]}` has no {option}"


def test_every_excuse_is_still_needed() -> None:
    commands = [step for page in PAGES for step in steps(page) if not step.file]
    for page, beginning in (*ELSEWHERE, *NOT_RUN):
        assert any(step.page == page and (beginning == "*" or step.text.startswith(beginning)) for step in commands), (
            f"{page} has no command {beginning!r} any more"
        )


def test_what_is_not_run_here_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print()
        for page in PAGES:
            for step in steps(page):
                if not step.file and step.excuse:
                    kind = "not run" if (step.excuse in NOT_RUN.values()) else "run elsewhere"
                    print(f"{kind}: {step.page}:{step.line}: {step.text.splitlines()[0]}: {step.excuse}")
    assert all(reason.strip() for reason in (*ELSEWHERE.values(), *NOT_RUN.values()))
