"""Which files of a tree are tests or serve them alone, and in which of them a reported test lies."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from tasks.checks.junit import TestCase
from tasks.checks.tool_settings import is_test_settings
from tasks.git.paths import matches_any

USUAL_TESTS = (
    "**/test", "**/tests", "**/spec", "**/specs", "**/__tests__", "**/__mocks__", "**/__snapshots__", "**/testdata",
    "**/e2e", "**/cypress", "**/testutil", "**/testutils", "**/test-utils.*", "**/test_utils.*", "**/setupTests.*",
    "**/jest.setup.*", "**/vitest.setup.*", "**/test.setup.*",
    "**/test_*.py", "**/*_test.py", "**/tests.py", "**/*_test.go", "**/*.test.*", "**/*.spec.*", "**/*-test.*",
    "**/*_spec.*", "**/*_test.*", "**/*Test.*", "**/*Tests.*", "**/*Spec.*", "**/*IT.java", "**/*.bats", "**/*.t",
)  # fmt: skip
"""Where tests of the usual layouts lie; everything below such a folder counts."""
_LARGEST = 1_000_000
"""Bytes of a test file that are looked through for a test's name."""
_LONGEST_NAME = 300


def is_test_file(path: str, globs: tuple[str, ...]) -> bool:
    """Say whether a file is a test or lies among tests.

    Args:
        path: The file, relative to the tree.
        globs: Those of the check; none: `USUAL_TESTS`.
    """
    return matches_any(path, globs or USUAL_TESTS)


def to_put_back(changed: Collection[str], globs: tuple[str, ...]) -> Iterator[str]:
    """Yield the changed paths that a second pass takes from the base commit: tests, and settings of nothing else."""
    return (path for path in sorted(changed) if is_test_file(path, globs) or is_test_settings(path))


class TestFiles:
    """Finds the file of a test among those that hold tests."""

    __test__ = False  # pytest looks at names

    def __init__(self, paths: Collection[str], content: Callable[[str], bytes | None]) -> None:
        self._paths = sorted(paths)
        self._content = content

    def of(self, case: TestCase) -> str | None:
        """Return a test's own file, None where neither the report nor the files tell it.

        The report's own word comes first: the file it names, then a class or suite that is a path or a dotted module.
        Then the one file that holds the test's name.
        """
        classname, _, name = case.id.rpartition("::")
        if case.file and (found := self._ending(case.file)):
            return found
        words = [one for one in (classname, name if not classname else "", case.suite) if one]
        paths = [one for one in words if re.search(r"[./\\]", one)]
        found = next(filter(None, map(self._called, paths)), None) or self._holding(name, classname or case.suite)
        # A bare word may be a module, and may be what a runner calls every test.
        return found or next(filter(None, map(self._called, words)), None)

    def beside(self, case: TestCase, changed: Collection[str]) -> str | None:
        """Return a changed file of the package that a case is about, None where none of its files was changed.

        Args:
            case: What concerns a package as a whole, such as that it was not built.
            changed: Paths that differ from the base commit.
        """
        told = re.split(r"[.$:/\s]+", f"{case.id} {case.suite}")
        edited = [path for path in self._paths if path in changed]
        near = [path for path in edited if posixpath.basename(posixpath.dirname(path)) in told]
        return next(iter(near), None)

    def _ending(self, path: str) -> str | None:
        """Return the one file whose path the other ends with, or that ends with the other."""
        path = posixpath.normpath(path.replace("\\", "/"))
        exact = [one for one in self._paths if path == one or path.endswith(f"/{one}")]
        near = exact or [one for one in self._paths if one.endswith(f"/{path}")]
        longest = max(near, key=len, default=None)
        return longest if exact or len(near) == 1 else None

    def _called(self, told: str) -> str | None:
        """Return the one file that a class or suite names: as a path, or as modules and classes with dots between."""
        if "/" in told or re.search(r"\.\w{1,5}\Z", told):
            return self._ending(told.partition(" ")[0]) or (None if "/" in told else self._module(told))
        return self._module(told)

    def _module(self, told: str) -> str | None:
        parts = re.split(r"[.$]", told)
        for size in range(len(parts), 0, -1):
            module = "/".join(parts[:size])
            found = [one for one in self._paths if self._stems[one] == module]
            found = found or [one for one in self._paths if self._stems[one].endswith(f"/{module}")]
            if len(found) == 1:
                return found[0]
        return None

    def _holding(self, name: str, package: str) -> str | None:
        """Return the one file with a test's name in it; of several, the one in its package's folder."""
        bare = re.split(r"[\[(/]", name[:_LONGEST_NAME])[0].strip()
        if not bare:
            return None
        word = re.compile(rf"(?<!\w){re.escape(bare)}(?!\w)".encode())
        found = [path for path in self._paths if word.search((self._content(path) or b"")[:_LARGEST])]
        if len(found) > 1:
            found = [path for path in found if package.endswith(posixpath.dirname(path) or "\0")]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _stems(self) -> dict[str, str]:
        return {path: posixpath.splitext(path)[0] for path in self._paths}
