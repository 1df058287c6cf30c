"""The commands of the pages: found, and what is done with each.

A command stands in a fence marked `sh` (or `console`, after `$ `). A test runs it, in the order of its page, unless a
line of `NOT_RUN` or `ELSEWHERE` says why not; a command nobody has put in either is run, and so a new one cannot be
overlooked. Fences of another kind that name a file (`yaml plait.yaml`) are written before the commands after them.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ROOT

SHELLS = {"sh", "bash", "shell", "console"}
NO_COMMANDS = {"yaml", "json", "python", "text", "toml", "html", ""}

ELSEWHERE = {
    ("README.md", "make test"): "this is what `make test` and `make test-deploy` are part of",
    ("README.md", "make setup && . .venv/bin/activate"): "tests/deploy/test_first_time.py",
    ("README.md", "export PREFECT_API_URL=http://127.0.0.1:4200/api"): "tests/deploy/test_first_time.py",
    ("README.md", "make server"): "tests/deploy/test_first_time.py",
    ("README.md", "make deploy"): "tests/deploy/test_first_time.py",
    ("README.md", "prefect worker start --pool plait"): "tests/deploy/test_first_time.py",
    ("README.md", "prefect deployment run feature/feature-scheduled --watch"): "tests/deploy/test_first_time.py",
    ("CONTRIBUTING.md", "*"): "each is a step of CI, or tests/deploy/test_first_time.py",
    ("docs/guides/deploying.md", "*"): "tests/deploy/test_first_time.py and tests/deploy/test_documentation.py",
    ("examples/user_profile/app/README.md", "*"): "the example's own checks and end-to-end tests, tests/examples",
    (
        "examples/user_profile/README.md",
        "python app/tools/serve.py",
    ): "serves until stopped; the end-to-end tests of tests/examples start it",
    (
        "docs/guides/agents.md",
        "make test-clients",
    ): "a target of its own, because it installs 700 MB: tests/docs/test_clients.py",
}
"""Commands another test runs, by page, with that test."""

NOT_RUN = {
    ("docs/guides/stores.md", "aws s3api create-bucket"): "needs an AWS account",
}
"""Commands nothing runs, by page and beginning, with the reason."""


@dataclass(frozen=True)
class Step:
    """One thing to do on the way through a page: a file to write, or a command to run.

    Attributes:
        line: Line of the page.
        file: Name of the file, empty for a command.
        text: The file's content, or the command.
        exit_code: What the command ends with, as a comment `# exit code N` at its end says.
    """

    page: str
    line: int
    file: str
    text: str
    exit_code: int = 0

    @property
    def excuse(self) -> str:
        """Why the command is not run here, empty if it is."""
        for table in (ELSEWHERE, NOT_RUN):
            for (page, beginning), reason in table.items():
                if page == self.page and (beginning == "*" or self.text.startswith(beginning)):
                    return reason
        return ""


def pages() -> list[Path]:
    """Return every page for users and contributors."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


def shown(page: Path) -> str:
    """Return a page's name in the project."""
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


def fences(page: Path) -> list[tuple[int, str, str, str]]:
    """Return line, language, the rest of the info string, and content of every fence."""
    found: list[tuple[int, str, str, str]] = []
    opened: tuple[int, str, int] | None = None
    body: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.match(r"( *)```(.*)$", line)
        if fence and opened is None:
            opened, body = (number, fence[2].strip(), len(fence[1])), []
        elif fence and opened:
            language, _, rest = opened[1].partition(" ")
            found.append((opened[0], language, rest.strip(), "\n".join(body) + "\n"))
            opened = None
        elif opened:
            body.append(line[opened[2] :] if not line[: opened[2]].strip() else line)
    assert opened is None, f"{page}: a fence is not closed"
    return found


def steps(page: Path) -> list[Step]:
    """Return what a reader who follows the page types and writes, in order."""
    found: list[Step] = []
    for line, language, rest, body in fences(page):
        if language in SHELLS:
            found += [_step(page, number, text) for number, text in _commands(line, language, body)]
        elif rest:
            found.append(Step(shown(page), line, rest, body))
    return found


def _step(page: Path, number: int, text: str) -> Step:
    text, *code = re.split(r" +# exit code (\d+)$", text)[:2]
    return Step(shown(page), number, "", text, int(code[0]) if code else 0)


def _commands(line: int, language: str, body: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    going_on = False
    for number, raw in enumerate(body.splitlines(), line + 1):
        text = raw
        if language == "console" and not going_on:
            if not raw.startswith("$ "):
                continue  # what the command prints
            text = raw[2:]
        if not text.strip() or (text.startswith("#") and not going_on):
            continue
        if going_on:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{text}")
        else:
            found.append((number, text))
        going_on = text.endswith("\\")
    return found


def script(todo: list[Step]) -> str:
    """Return what is typed into a shell: it ends with the first command that ends otherwise than its page says."""
    lines: list[str] = []
    for step in todo:
        if step.file:
            lines.append(f"cat > {step.file} <<'END-OF-FILE'\n{step.text}END-OF-FILE")
        else:
            lines += [
                f"echo '@@ {step.page}:{step.line}'",
                step.text,
                f'code=$?; [ "$code" = {step.exit_code} ] || {{ echo "ended with $code, not {step.exit_code}"; exit 1; }}',
            ]
    return "\n".join([*lines, "exit 0", ""])
