"""Which paths and links may leave a workspace, and which globs own a path."""

from __future__ import annotations

import pytest

from tasks.git.paths import matches_any, why_refused_link, why_refused_path


@pytest.mark.parametrize(
    "path", ["a", "a/b c", "ünï/ço.de", ".gitignore", "git", "a.git", ".github/x", "a/..b", '"q"', "a\\b"]
)
def test_ordinary_paths_pass(path: str) -> None:
    assert why_refused_path(path) is None


@pytest.mark.parametrize(
    "path",
    [
        ".git/hooks/x",
        "a/.GIT/config",
        "git~1",
        ".git./x",
        ".git \u200b/x",
        ".g\u200cit/x",
        "a\nb",
        "a\x1b[0m",
        ".git::$INDEX",
        "a/../b",
    ],
)
def test_paths_git_keeps_for_itself_and_control_characters_are_refused(path: str) -> None:
    assert why_refused_path(path)


@pytest.mark.parametrize(
    ("path", "target"), [("a", "b"), ("a", "./b/c"), ("x/a", "../b"), ("x/y/a", "../../b/c"), ("a", "b c")]
)
def test_links_within_the_tree_pass(path: str, target: str) -> None:
    assert why_refused_link(path, target) is None


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("a", "/etc/passwd"),
        ("a", ".."),
        ("a", "../b"),
        ("x/a", "../../b"),
        ("a", "b/../c"),
        ("x/a", "../.git/config"),
        ("a", "b/../../c"),
    ],
)
def test_links_that_could_lead_out_are_refused(path: str, target: str) -> None:
    assert why_refused_link(path, target)


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("src/**", "src/a/b.py", True),
        ("src/**", "srcs/a", False),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/a/b.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "x/y/a.py", True),
        ("**/tests/**", "a/tests/b", True),
        ("src", "src/a/b", True),
        ("src/", "src/a", True),
        ("./src/a", "src/a", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("a[.py", "a[.py", True),
        ("a.py", "aXpy", False),
        ("**", "anything/at/all", True),
    ],
)
def test_globs_own_paths(glob: str, path: str, expected: bool) -> None:
    assert matches_any(path, (glob,)) is expected
