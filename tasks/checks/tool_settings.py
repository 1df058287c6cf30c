"""What tools read without being told to: settings files, hooks, and files that merely lie where Python looks first."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
import shlex
import sys
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from contexts.json.values import is_object, mapping

_KNOWN_BY_KIND = {"tests": ("pytest", "coverage"), "coverage": ("pytest", "coverage"), "security": ("bandit",)}
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]{1,40}\Z")
_SHARED = {"pyproject.toml", "setup.cfg", "tox.ini", "package.json", "Cargo.toml"}
"""Files in which tools have a section each; most of such a file is not about checks."""
_TEST_SETTINGS = re.compile(
    r"conftest\.py|\.rspec|\.?coveragerc"
    r"|\.?(?:pytest|jest|vitest|mocha|karma|ava|jasmine|cypress|playwright|nyc|c8|phpunit)"
    r"(?:\.ini|\.toml|\.cfg|\.json|\.ya?ml|\.xml(?:\.dist)?|rc(?:\.[a-z]+)?|\.conf(?:ig)?\.[a-z]+)"
)
"""Names of files that are about nothing but how tests are run."""
_EVERY_PYTHON = {"sitecustomize.py", "usercustomize.py"}
_RUN_SCRIPTS = {"yarn", "npm", "pnpm", "bun"}


def tool_names(argv: Sequence[str], kind: str) -> frozenset[str]:
    """Return the names, in lower case, of what a command may start: all its plain words, and what its kind implies."""
    words: list[str] = []
    for argument in argv:
        try:
            words += shlex.split(argument) if " " in argument else [argument]
        except ValueError:
            words += argument.split()
    names = {posixpath.basename(word).lower() for word in words if _WORD.match(posixpath.basename(word))}
    return frozenset({*names, *_KNOWN_BY_KIND.get(kind, ())})


def may_be_settings(path: str, tools: Collection[str]) -> bool:
    """Say whether a file's name is one that a tool, or Python itself, reads without being told to."""
    name = posixpath.basename(path)
    if name in _EVERY_PYTHON or name.endswith(".pth") or (name == "conftest.py" and "pytest" in tools):
        return True
    return name in _SHARED or _is_whole_settings(name.lower(), tools)


def is_test_settings(path: str) -> bool:
    """Say whether a file, by its name, is about nothing but how tests are run."""
    return bool(_TEST_SETTINGS.fullmatch(posixpath.basename(path).lower()))


def _is_whole_settings(name: str, tools: Collection[str]) -> bool:
    if name in {"gnumakefile", "makefile"} or name.endswith(".mk"):
        return bool({"make", "gmake"} & set(tools))
    bare = name.removeprefix(".")
    endings = ("rc", ".toml", ".ini", ".cfg", ".conf", "config.json")
    return any(
        name == f".{tool}"
        or bare in {f"{tool}{ending}" for ending in endings}
        or bare.startswith((f"{tool}.config.", f"{tool}rc.", f"{tool}file"))
        for tool in tools
    )


def settings_differ(path: str, before: bytes | None, after: bytes | None, tools: Collection[str]) -> bool:
    """Say whether a change of a settings file reaches a check; of a shared file only the tools' own sections count.

    Args:
        path: A path that `may_be_settings`.
        before: Its content at the base commit, None where there was none.
        after: Its content now.
        tools: See `tool_names`.
    """
    name = posixpath.basename(path)
    if name == "conftest.py" and before is None:
        return _has_hooks(after or b"")
    if name not in _SHARED or name.removesuffix(".ini") in tools:
        return True
    try:
        return _sections(name, before, tools) != _sections(name, after, tools)
    except (ValueError, configparser.Error):
        return True  # what cannot be read might say anything


def _sections(name: str, raw: bytes | None, tools: Collection[str]) -> Mapping[str, object]:
    """Return the parts of a shared settings file that are about the tools."""
    text = (raw or b"").decode()
    if name == "package.json":
        document: Any = orjson.loads(raw) if raw else {}
        if not isinstance(document, dict):
            raise ValueError(name)
        wanted = {*tools, *(("scripts",) if _RUN_SCRIPTS & set(tools) else ())}
        return {key: value for key, value in mapping(document).items() if key in wanted}
    if name == "pyproject.toml":
        tables: Any = tomllib.loads(text).get("tool", {})
        return mapping(_without_dependencies({key: value for key, value in tables.items() if key in tools}))
    if name == "Cargo.toml":
        return {"cargo": _without_dependencies(tomllib.loads(text))} if "cargo" in tools else {}
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    own = [section for section in parser.sections() if set(re.split(r"[:-]", section.lower())) & set(tools)]
    return {section: dict(parser[section]) for section in own}


def _without_dependencies(table: object) -> object:
    """Return a manifest's table without what is to be installed, and without tables in which nothing else is."""
    if not is_object(table):
        return table
    kept = {key: _without_dependencies(value) for key, value in table.items() if not key.endswith("dependencies")}
    return {key: value for key, value in kept.items() if value not in ({}, [])}


def _has_hooks(raw: bytes) -> bool:
    """Say whether a new conftest.py reaches beyond its folder: pytest calls its hooks for every test of the run."""
    try:
        body = ast.parse(raw).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    for statement in ast.walk(ast.Module(body, [])):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [statement.name]
        elif isinstance(statement, ast.Name) and isinstance(statement.ctx, ast.Store):
            names = [statement.id]
        elif isinstance(statement, ast.ImportFrom | ast.Import):
            names = [one.asname or one.name for one in statement.names]
        else:
            continue
        if any(name.startswith("pytest_") or name in {"collect_ignore", "collect_ignore_glob"} for name in names):
            return True
    return False


def looked_up_first(argv: Sequence[str], script: str | None, source: bytes) -> frozenset[str]:
    """Return the paths Python would look at first for what a command imports: beside its script, or in the tree.

    Args:
        argv: The command.
        script: The Python script it names; None where Python is told a module, and so looks into the tree first.
        source: The script's content.
    """
    if script is None:
        return _modules("", sys.stdlib_module_names) if "-m" in argv else frozenset()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(node.module.partition(".")[0])
    return _modules(posixpath.dirname(script), imported)


def _modules(folder: str, names: Iterable[str]) -> frozenset[str]:
    where = f"{folder}/" if folder else ""
    return frozenset(f"{where}{name}{ending}" for name in names for ending in (".py", "/__init__.py"))
