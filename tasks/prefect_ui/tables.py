"""Tables of a run for the Prefect UI: findings with both quotes, criteria, documents. All words are escaped."""

from __future__ import annotations

from functools import partial

from contexts.documents.context import Context
from contexts.documents.findings import Source
from contexts.documents.refs import ContextRef
from contexts.store.contexts import ContextStore
from contexts.store.keys import document_key
from contexts.text.markdown_table import markdown_table
from contexts.text.plural import and_more, counted
from tasks.prefect_ui.artifact_keys import artifact_key
from tasks.prefect_ui.artifacts import publish_link, publish_markdown, publish_table
from tasks.prefect_ui.markdown import Row, cell, row
from tasks.prefect_ui.ornaments import Ornaments

_MOST = 200
"""Rows a table shows; the document has all of them."""


def publish_tables(store: ContextStore, final: ContextRef, context: Context, ornaments: Ornaments) -> None:
    """Publish the tables of findings, criteria and documents, and a link to the final context.

    Args:
        store: Where the documents are.
        final: The final context.
        context: The same, read.
        ornaments: Takes the artifacts.
    """
    workflow_id = final.workflow_id
    about = f"{counted(len(context.findings or ()), 'finding')} of {workflow_id}, with both quotes"
    markdown = findings_markdown(context)
    ornaments.add("findings", partial(publish_markdown, artifact_key(workflow_id, "findings"), markdown, about))
    for name, rows in (("criteria", criteria_rows(context)), ("documents", document_rows(store, final, context))):
        listing = f"{name.capitalize()} of {workflow_id}"
        ornaments.add(name, partial(publish_table, artifact_key(workflow_id, name), rows, listing))
    newest, where = f"The newest context of {workflow_id}", address(store, final)
    ornaments.add("context", partial(publish_link, artifact_key(workflow_id, "context"), where, str(final), newest))


def findings_markdown(context: Context) -> str:
    """Return the findings as a markdown table, the two sides of each beside one another."""
    found = context.findings
    if not found:
        return "No findings."
    rows: list[list[str]] = []
    for one in found[:_MOST]:
        sides = [_quoted(each) for each in one.sources[:4]]
        severity = f"waived by {cell(one.waived.by)}: {cell(one.waived.why)}" if one.waived else cell(one.severity)
        rows.append([
            severity, cell(one.rule), cell(one.message, 600), sides[0] if sides else "", " ".join(sides[1:]),
            cell(one.fingerprint or ""),
        ])  # fmt: skip
    lines = markdown_table(("severity", "rule", "what is wrong", "here", "against", "name"), rows)
    if more := and_more(len(found) - _MOST):
        lines += ["", f"{more.capitalize()} in the document."]
    return "\n".join(lines)


def _quoted(source: Source) -> str:
    return f"“{cell(source.quote)}” ({cell(source.document)} {cell(source.pointer)})"


def criteria_rows(context: Context) -> list[Row]:
    """Return one row per success criterion."""
    return [
        row(
            {
                "criterion": one.id,
                "text": one.text,
                "required": "yes" if one.required else "no",
                "status": one.status,
                "why": one.reason,
                "evidence": ", ".join(one.evidence or ()),
            }
        )
        for one in context.criteria or ()
    ]


def document_rows(store: ContextStore, final: ContextRef, context: Context) -> list[Row]:
    """Return one row per document of the run, with where it is."""
    tracks = (context.run.tracks if context.run else None) or ()
    refs = [final, *(one.ref for one in tracks if one.ref)]
    return [
        row(
            {
                "document": ref.document,
                "revision": ref.revision,
                "bytes": ref.size,
                "sha256": ref.sha256[:12],
                "where": address(store, ref),
            }
        )
        for ref in refs
    ]


def address(store: ContextStore, ref: ContextRef) -> str:
    """Return where a document lies, as a URL."""
    return f"{store.identity.rstrip('/')}/{document_key(ref.workflow_id, ref.document, ref.revision)}"
