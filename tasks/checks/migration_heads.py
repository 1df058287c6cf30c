"""Migrations of one project that tracks added side by side: the same number twice, or two that come after the same one.

Git merges such files without a word, because they have different names; the tool refuses them, or runs one of the two.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from contexts.documents.findings import Finding, Source
from contexts.json.values import sequence
from contexts.store.keys import track_document
from contexts.text.plural import counted, first_of

Content = Callable[[str], bytes | None]

_LARGEST = 1_000_000
"""Bytes of a migration that is still read."""
_FLYWAY = re.compile(r"(?P<kind>[VUB])(?P<version>\d[\d._]*)__[^/]+\.(?:sql|java|kt)")
_PRISMA = re.compile(r"(?P<folder>(?:[^/]+/)*migrations)/(?P<version>\d{14})_[^/]+/migration\.sql")
_RAILS = re.compile(r"(?P<folder>(?:[^/]+/)*db/(?:[a-z0-9]+_)?migrate)/(?P<version>\d+)_(?P<name>[a-z0-9_]+)\.rb")
_UP_AND_DOWN = re.compile(r"(?P<version>\d+)_[^/]+\.(?P<way>up|down)\.sql")


@dataclass(frozen=True, slots=True)
class _Node:
    """One migration that names the ones before it.

    Attributes:
        path: Its file.
        line: What roots of different lines have different, as branch labels of Alembic.
    """

    path: str
    parents: tuple[str, ...]
    line: str = ""


@dataclass(frozen=True, slots=True)
class _Clash:
    """Files that do not go together, and why."""

    tool: str
    paths: tuple[str, ...]
    why: str


def migration_conflicts(
    base: Iterable[str], merged: Iterable[str], changed_by: Mapping[str, Sequence[str]], content: Content
) -> tuple[Finding, ...]:
    """Return a finding for every number given twice and every second head that tracks' work has brought in.

    Alembic, Django, Flyway, Prisma, Rails, and pairs of ``N_name.up.sql`` and ``N_name.down.sql`` are known by the
    form of their files. What the base commit had already is not said.

    Args:
        base: Paths of the base commit.
        merged: Paths of the integrated commit.
        changed_by: The files each track changed.
        content: Returns what a path of the integrated commit holds; asked only beside migrations that tracks touched.
    """
    before, now = frozenset(base), frozenset(merged)
    touched = now & ({path for files in changed_by.values() for path in files} | (now - before))
    clashes = [*_same_numbers(now, touched - before), *_alembic(now, before, touched, content)]
    clashes += _django(now, before, touched, content)
    return tuple(_finding(one, before, changed_by) for one in sorted(clashes, key=lambda one: (one.tool, one.paths)))


def _finding(clash: _Clash, before: frozenset[str], changed_by: Mapping[str, Sequence[str]]) -> Finding:
    sides: list[str] = []
    sources: list[Source] = []
    for path in clash.paths:
        tracks = [task_id for task_id, files in changed_by.items() if path in files]
        who = f"track {' and '.join(tracks)}" if tracks else "the base commit"
        sides.append(f"{path} ({who})")
        sources += [Source(document=track_document(one), pointer="/files_modified", quote=path) for one in tracks]
        if not tracks:
            where = "base commit" if path in before else "integrated tree"
            sources.append(Source(document=where, pointer=path, quote=path))
    message = f"{clash.tool}: {clash.why}: {first_of(sides, 5)}; let one come after the other, or merge them into one"
    return Finding(rule="contracts/migration", severity="blocking", message=message, sources=tuple(sources))


def _same_numbers(now: Iterable[str], added: Collection[str]) -> Iterator[_Clash]:
    """Yield files of one folder that have the same number, or what else must be one of a kind."""
    found: dict[tuple[str, str, str, str], set[str]] = {}
    for path in now:
        for tool, folder, what, value in _numbers(path):
            found.setdefault((tool, folder, what, value), set()).add(path)
    for (tool, _, what, value), paths in found.items():
        if len(paths) > 1 and not paths.isdisjoint(added):
            yield _Clash(tool, tuple(sorted(paths)), f"{counted(len(paths), 'migration')} with the {what} {value}")


def _numbers(path: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield tool, folder, and what may be there once, of a path that has the form of a migration."""
    folder, name = posixpath.split(path)
    if found := _FLYWAY.fullmatch(name):
        parts = [part.lstrip("0") or "0" for part in re.split(r"[._]+", found["version"].strip("._"))]
        while len(parts) > 1 and parts[-1] == "0":
            parts.pop()  # 1.0 is 1
        yield "Flyway", folder, f"version {found['kind']}", ".".join(parts)
    elif found := _PRISMA.fullmatch(path):
        yield "Prisma", found["folder"], "timestamp", found["version"]
    elif found := _RAILS.fullmatch(path):
        yield "Rails", found["folder"], "version", found["version"].lstrip("0") or "0"
        yield "Rails", found["folder"], "name", found["name"]
    elif found := _UP_AND_DOWN.fullmatch(name):
        yield "SQL migrations", folder, f"number (.{found['way']}.sql)", found["version"].lstrip("0") or "0"


def _alembic(now: frozenset[str], before: frozenset[str], touched: Collection[str], content: Content) -> list[_Clash]:
    """Return what tracks did to the one line of revisions of each Alembic environment they touched."""
    environments = {posixpath.dirname(path) for path in now if posixpath.basename(path) == "env.py"}

    def home(path: str) -> str | None:
        """Return the environment a revision belongs to; None where nothing says that it is one."""
        folder = posixpath.dirname(path)
        above = folder
        while above and above not in environments:
            above = posixpath.dirname(above)
        return above if above in environments else folder if posixpath.basename(folder) == "versions" else None

    clashes: list[_Clash] = []
    modules = {path: at for path in now if path.endswith(".py") and (at := home(path)) is not None}
    for at in sorted({modules[path] for path in touched if path in modules}):
        nodes: dict[str, list[_Node]] = {}
        for path in sorted(path for path, where in modules.items() if where == at):
            for revision, node in _revision(path, content):
                nodes.setdefault(revision, []).append(node)
        for revision, same in nodes.items():
            paths = tuple(node.path for node in same)
            if len(same) > 1 and not set(touched).isdisjoint(paths):
                clashes.append(_Clash("Alembic", paths, f"{counted(len(same), 'file')} of the revision {revision}"))
        clashes += _two_heads("Alembic", {revision: same[0] for revision, same in nodes.items()}, before, touched)
    return clashes


def _revision(path: str, content: Content) -> Iterator[tuple[str, _Node]]:
    """Yield the revision a file is, with its node, where it has Alembic's form."""
    told = {name: _literal(value) for name, value in _assigned(_statements(path, content)).items()}
    revision, down = told.get("revision"), told.get("down_revision", ...)
    if isinstance(revision, str) and down is not ...:
        labels = _words(told.get("branch_labels"))
        yield revision, _Node(path, _words(down), "" if _words(down) else ",".join(labels))


def _django(now: frozenset[str], before: frozenset[str], touched: Collection[str], content: Content) -> list[_Clash]:
    """Return what tracks did to the one line of migrations of each Django application they touched."""
    clashes: list[_Clash] = []
    folders = {posixpath.dirname(path) for path in touched if path.endswith(".py")}
    for folder in sorted(folder for folder in folders if posixpath.basename(folder) == "migrations"):
        app = posixpath.dirname(folder)
        labels = {posixpath.basename(app), *_labels(f"{app}/apps.py".lstrip("/"), content)}
        nodes: dict[str, _Node] = {}
        instead: dict[str, str] = {}
        for path in sorted(path for path in now if posixpath.dirname(path) == folder and path.endswith(".py")):
            name = posixpath.basename(path).removesuffix(".py")
            for parents, replaced in _migration(path, labels, content):
                nodes[name] = _Node(path, parents)
                instead |= dict.fromkeys(replaced, name)
        # A squashed migration stands in the place of those it replaces, also as the parent of what comes after them.
        kept = {name: node for name, node in nodes.items() if name not in instead}
        placed = {
            name: _Node(node.path, tuple(instead.get(one, one) for one in node.parents if instead.get(one) != name))
            for name, node in kept.items()
        }
        clashes += _two_heads("Django", placed, before, touched)
    return clashes


def _migration(
    path: str, labels: Collection[str], content: Content
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the migrations of the same application that one comes after, and those it replaces."""
    for statement in _statements(path, content):
        if not isinstance(statement, ast.ClassDef) or statement.name != "Migration":
            continue
        told = _assigned(statement.body)
        parents, replaced = (_of_app(told.get(name), labels) for name in ("dependencies", "replaces"))
        yield parents, replaced


def _of_app(listed: ast.expr | None, labels: Collection[str]) -> tuple[str, ...]:
    """Return the migrations of one application in a list of pairs; what is no plain pair is of another."""
    pairs = [_words(_literal(one)) for one in listed.elts] if isinstance(listed, ast.List | ast.Tuple) else []
    return tuple(pair[1] for pair in pairs if len(pair) == 2 and pair[0] in labels)


def _labels(path: str, content: Content) -> Iterator[str]:
    """Yield what Django calls an application besides its folder's name, where its apps.py says so."""
    for statement in _statements(path, content):
        if isinstance(statement, ast.ClassDef):
            told = {name: _literal(value) for name, value in _assigned(statement.body).items()}
            yield from (value for value in (told.get("label"),) if isinstance(value, str))


def _statements(path: str, content: Content) -> Sequence[ast.stmt]:
    """Return the statements of a module; none where it is not there, too large, or no Python."""
    raw = content(path)
    if raw is None or len(raw) > _LARGEST:
        return ()
    try:
        return ast.parse(raw).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _assigned(statements: Iterable[ast.stmt]) -> dict[str, ast.expr]:
    """Return what is assigned to names, also to several at once (``a, b = 1, 2``)."""
    found: dict[str, ast.expr] = {}
    for statement in statements:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            found[statement.target.id] = statement.value
        for target in statement.targets if isinstance(statement, ast.Assign) else ():
            pairs = [(target, statement.value)] if isinstance(statement, ast.Assign) else []
            if isinstance(target, ast.Tuple) and isinstance(pairs[0][1], ast.Tuple):
                pairs = list(zip(target.elts, pairs[0][1].elts, strict=False))
            found |= {name.id: value for name, value in pairs if isinstance(name, ast.Name)}
    return found


def _literal(value: ast.expr) -> object:
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _words(value: object) -> tuple[str, ...]:
    """Return the texts of a value that is one, or a sequence of them."""
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in sequence(value) if isinstance(one, str))


def _two_heads(
    tool: str, nodes: Mapping[str, _Node], before: frozenset[str], touched: Collection[str]
) -> Iterator[_Clash]:
    """Yield the heads that should be one: at least one is a track's, and both come after the same.

    Two heads of the base commit stay two lines: a track may go on with each. But where two go on with the same head,
    or one begins below a head, or anew, there is one head too many.
    """
    parents = {name: [one for one in node.parents if one in nodes] for name, node in nodes.items()}
    old = {name for name, node in nodes.items() if node.path in before}
    heads_of_base = old - {parent for name in old for parent in parents[name]}
    heads = sorted(set(nodes) - {parent for several in parents.values() for parent in several})
    behind = {head: _ancestors(head, parents) for head in heads}

    def meet(one: str, other: str) -> bool:
        """Say whether two heads are of the same line."""
        on, off = behind[one] & heads_of_base, behind[other] & heads_of_base
        if on and off:
            return bool(on & off)
        lines = [{nodes[name].line for name in behind[head] if not parents[name]} for head in (one, other)]
        return bool(behind[one] & behind[other] or lines[0] & lines[1])

    new = [head for head in heads if nodes[head].path in touched]
    clashing = {head for one in new for other in heads if one != other and meet(one, other) for head in (one, other)}
    if clashing:
        names = sorted(clashing)
        why = f"{counted(len(names), 'migration')} that nothing comes after ({first_of(names, 5)})"
        yield _Clash(tool, tuple(nodes[name].path for name in names), why)


def _ancestors(name: str, parents: Mapping[str, Sequence[str]]) -> set[str]:
    """Return a node and all that it comes after."""
    found, left = {name}, [name]
    while left:
        for parent in parents[left.pop()]:
            if parent not in found:
                found.add(parent)
                left.append(parent)
    return found
