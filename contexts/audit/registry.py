"""The rules: what every rule must say about itself, and where they are kept.

There are two kinds. A `rule` compares contracts with each other, or plait's records with what they were made of: what
it finds may block. A `claim_rule` judges what somebody wrote, in sentences or in figures: what it finds is a `Doubt`,
which cannot block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from contexts.audit.documents import DocumentSet
from contexts.documents.findings import Doubt, Finding, Mild, Severity, Source

FindDefects = Callable[[DocumentSet], Iterable[Finding]]
FindDoubts = Callable[[DocumentSet], Iterable[Doubt]]


@dataclass(frozen=True)
class Raw:
    """A file's content for an example that no parsed document can show; ``shown`` is what the page prints."""

    content: str
    shown: str


Documents = tuple[Mapping[str, object] | Raw, ...]
FAMILIES: Mapping[str, str] = {
    "contracts": "what consumers expect against what providers offer",
    "assumptions": "what tracks take for granted and nobody provides",
    "thresholds": "measured percentiles against the targets written beside them",
    "arithmetic": "totals, means, percentages and speedups of typed figures",
    "fidelity": "a merged document against the merge of its tracks",
    "claims": "ticks and references to documentation that the documents do not bear out",
    "references": "names that lead nowhere",
    "time": "instants and durations that cannot be",
    "input": "files that cannot be judged",
}
MAY_BLOCK = frozenset({"contracts", "fidelity", "references", "input"})
"""Families of comparisons and records; nothing of the others blocks, whoever registers it."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        id: ``family/slug``.
        severity: The gravest it finds; single findings may be milder.
        why: One line for docs/reference/rules.md.
        example: Documents in which exactly this rule finds something.
        clean: The same documents without the defect.
        yields_to: Rules that see the same defect more specifically: where one of them names this rule's first source,
            or an element of a whole list this finding is about, this rule's finding is left out.
    """

    id: str
    severity: Severity
    why: str
    example: Documents
    clean: Documents
    find: FindDefects
    yields_to: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The part of its id that other rules share."""
        return self.id.partition("/")[0]

    @property
    def package(self) -> str:
        """The package that registered it."""
        return self.find.__module__.rpartition(".")[0]

    def apply(self, documents: DocumentSet) -> Iterator[Finding]:
        """Yield what the rule finds in the documents of one workflow."""
        yield from self.find(documents)


@dataclass(frozen=True)
class ClaimRule(Rule):
    """A rule that judges what somebody wrote; all it finds are doubts."""

    severity: Mild
    find: FindDoubts

    def apply(self, documents: DocumentSet) -> Iterator[Finding]:
        """Yield what the rule doubts.

        Raises:
            TypeError: The rule found something that could block.
        """
        for one in self.find(documents):
            if not isinstance(one, Doubt):  # pyright: ignore[reportUnnecessaryIsInstance] also for who checks no types
                raise TypeError(f"{self.id} judges what somebody wrote, and must build its findings by `doubt`")
            yield one


RULES: dict[str, Rule] = {}


def rule(
    identity: str,
    severity: Severity,
    why: str,
    *,
    example: Documents,
    clean: Documents,
    yields_to: tuple[str, ...] = (),
) -> Callable[[FindDefects], FindDefects]:
    """Register a function as a rule over contracts or records; the function itself stays as it is."""

    def register(find: FindDefects) -> FindDefects:
        if identity.split("/", 1)[0] not in MAY_BLOCK and severity == "blocking":
            raise ValueError(f"{identity} is of a family that never blocks: register it by `claim_rule`")
        _add(Rule(identity, severity, why, example, clean, find, yields_to))
        return find

    return register


def claim_rule(
    identity: str,
    severity: Mild,
    why: str,
    *,
    example: Documents,
    clean: Documents,
    yields_to: tuple[str, ...] = (),
) -> Callable[[FindDoubts], FindDoubts]:
    """Register a function as a rule over what somebody wrote; the function itself stays as it is."""

    def register(find: FindDoubts) -> FindDoubts:
        _add(ClaimRule(identity, severity, why, example, clean, find, yields_to))
        return find

    return register


def _add(one: Rule) -> None:
    if one.id in RULES:
        raise ValueError(f"two rules are called {one.id}")
    if one.id.split("/", 1)[0] not in FAMILIES:
        raise ValueError(f"{one.id} belongs to no family")
    RULES[one.id] = one


def found(identity: str, message: str, sources: Iterable[Source], severity: Severity | None = None) -> Finding:
    """Return a finding of a rule over contracts or records, with its severity unless a milder one is given.

    Raises:
        TypeError: The rule is of the other kind.
    """
    one = RULES[identity]
    if isinstance(one, ClaimRule):
        raise TypeError(f"{identity} judges what somebody wrote, and builds its findings by `doubt`")
    return Finding(
        rule=identity, severity=severity or one.severity, message=message, sources=tuple(dict.fromkeys(sources))
    )


def doubt(identity: str, message: str, sources: Iterable[Source], severity: Mild | None = None) -> Doubt:
    """Return a finding of a rule over what somebody wrote, with its severity unless a milder one is given.

    Raises:
        TypeError: The rule is of the other kind.
    """
    one = RULES[identity]
    if not isinstance(one, ClaimRule):
        raise TypeError(f"{identity} compares contracts or records, and builds its findings by `found`")
    return Doubt(
        rule=identity, severity=severity or one.severity, message=message, sources=tuple(dict.fromkeys(sources))
    )


def in_precedence(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out findings whose defect a more specific rule has found: one defect, one finding."""
    kept = list(dict.fromkeys(findings))
    places: dict[str, set[tuple[str, str]]] = {}
    for finding in kept:
        places.setdefault(finding.rule, set()).update((s.document, s.pointer) for s in finding.sources)
    return [finding for finding in kept if not _covered(finding, places)]


def _covered(finding: Finding, places: Mapping[str, set[tuple[str, str]]]) -> bool:
    known = RULES.get(finding.rule)
    if known is None or not finding.sources:
        return False
    first = (finding.sources[0].document, finding.sources[0].pointer)
    for other in known.yields_to:
        named = places.get(other, set[tuple[str, str]]())
        if first in named:
            return True
        lists = [(s.document, f"{s.pointer}/") for s in finding.sources if s.pointer.count("/") == 1]
        if any(document == d and pointer.startswith(p) for document, p in lists for d, pointer in named):
            return True
    return False
