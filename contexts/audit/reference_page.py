"""The page of all rules, docs/reference/rules.md; ``python -m contexts.audit.reference_page`` writes it anew."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from contexts.audit import RULES, audit
from contexts.audit.read_files import parse
from contexts.audit.registry import FAMILIES, Documents, Raw, Rule
from contexts.audit.sample_documents import file_name, plain_members
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Finding
from contexts.text.markdown_table import markdown_table
from contexts.text.plural import and_more, counted

PAGE = Path("docs/reference/rules.md")
_INTRO = """\
# What the audit finds

`plait audit PATH...` judges context documents by the rules below, with no language model: the same documents always
give the same findings. It takes files or folders (also `.claude/context/`), any subset of a workflow's documents, and
several workflows at once. A rule whose inputs are missing says nothing; what cannot be read is never called right.

| severity | meaning |
| --- | --- |
| blocking | contracts, or records and what they are of, contradict each other; an unreadable file; exit code 1 |
| warning | a careful reader would ask; exit code 1 with `--strict` |
| note | worth knowing, nothing is wrong yet |

Every finding quotes both sides, each with its document and an RFC 6901 pointer to the very value. One defect gives one
finding: repeats are grouped, and a rule steps back where a more specific one has spoken. A rule may find something
milder than its severity below, never graver. Criteria and targets come from the documents alone, and ticks count for
nothing.

What somebody wrote is a claim and no proof. So rules that judge claims warn at most, and no setting makes them block.
They read numbers, ticks, and texts that are one notation as a whole, such as `45/50 passed (90%)`; no sentence is
understood. Nothing is read in schemas, contracts and examples, nor in what is written for people: summaries, decisions,
notes. In a run, only failed evidence, contracts that contradict each other and plait's own records can make it fail.
There the rules on claims, on fidelity, time and input judge what agents handed in, and not what plait wrote itself;
`audit: {prose: off}` in the spec leaves out those that look at words. `plait audit` judges all of every document.

Each rule stands here with a small example in which it finds something, less the members that do not matter (a file
that names neither a `workflow_id` nor a `task_id` is no context, and not judged); what is quoted below the example is
what the audit says of it.
"""


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRO
    by_family = {family: [r for r in RULES.values() if r.id.startswith(f"{family}/")] for family in FAMILIES}
    yield from markdown_table(
        ("family", "rules", "about"),
        [(f"[{family}](#{family})", str(len(by_family[family])), about) for family, about in FAMILIES.items()],
    )
    for family, rules in by_family.items():
        yield f"\n## {family}\n"
        yield f"{FAMILIES[family][0].upper()}{FAMILIES[family][1:]}."
        for rule in sorted(rules, key=lambda one: one.id):
            yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"\n### {rule.id}\n"
    yield f"*{rule.severity}*. {rule.why}\n"
    yield "```json"
    for index, entry in enumerate(rule.example):
        if isinstance(entry, Raw):
            yield f"// {index + 1}.json\n{entry.shown}"
        else:
            yield f"// {file_name(index, entry)}\n{_shown(plain_members(entry))}"
    yield "```\n"
    for finding in judged(rule.example):
        places = ", ".join(f"`{source.document}{source.pointer}`" for source in finding.sources[:4])
        yield f"> {finding.message}  \n> at {places} {and_more(len(finding.sources) - 4, 'place')}".rstrip()


def _shown(members: Mapping[str, object]) -> str:
    line = json.dumps(members, ensure_ascii=False)
    if len(line) <= 118:
        return line
    inner = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in members.items())
    return f"{{\n{inner}\n}}"


def judged(example: Documents) -> tuple[Finding, ...]:
    """Audit the documents of an example, as if they lay in a folder."""
    documents, problems = list[SourceDocument](), list[Finding]()
    for index, entry in enumerate(example):
        if isinstance(entry, Raw):
            document, found = parse(f"{index + 1}.json", entry.content.encode())
            documents.extend([document] if document else [])
            problems.extend(found)
        else:
            documents.append(SourceDocument(file_name(index, entry), entry))
    return audit(documents, problems).findings


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {counted(len(RULES), 'rule')}\n")
