"""Assemble the commands; each module is imported only when its command is called."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Group, Parameter

from flows.cli.session import Session

_COMMANDS = {
    "run": ("flows.cli.commands.run:run", "Run or resume a workflow here, with live progress."),
    "plan": ("flows.cli.commands.plan:plan", "Show order, groups, overlaps, estimate and what would be reused."),
    "resume": ("flows.cli.commands.resume:resume", "Run a workflow again from the store alone."),
    "list": ("flows.cli.commands.list:list_workflows", "List the workflows of the store."),
    "show": ("flows.cli.commands.show:show", "Print a stored document: its outline on a terminal, else whole."),
    "history": ("flows.cli.commands.history:history", "List every revision of a workflow's documents."),
    "diff": ("flows.cli.commands.diff:diff", "Compare two revisions of a document."),
    "approve": ("flows.cli.commands.approve:approve", "Answer at a gate: approve or reject, and tick what holds."),
    "edit": ("flows.cli.commands.edit:edit", "List what is open; waive criteria, checks, findings; settle concerns."),
    "merge": ("flows.cli.commands.merge:merge", "Merge context files; the merged document goes to stdout."),
    "audit": ("flows.cli.commands.audit:audit", "Audit context files, or a folder of them."),
    "export": (
        "flows.cli.commands.export:export_workflow",
        "Write a workflow as files in the .claude/context/ layout.",
    ),
    "import": (
        "flows.cli.commands.import_:import_folder",
        "Read files in the .claude/context/ layout into the store.",
    ),
    "init": ("flows.cli.commands.init:init", "Scaffold a spec that runs at once."),
    "schema": ("flows.cli.commands.schema:schema", "Print a JSON Schema for editors and agents."),
    "report": ("flows.cli.commands.report:report", "Write the HTML report of a workflow."),
    "clean": ("flows.cli.commands.clean:clean", "Remove kept workspaces; never uncommitted work."),
    "doctor": ("flows.cli.commands.doctor:doctor", "Check git, Python, agents, store and server."),
}

_EVERYWHERE = Group("Everywhere", sort_key=len(_COMMANDS) + 1)


def _everywhere(text: str) -> Parameter:
    return Parameter(group=_EVERYWHERE, negative="", show_default=False, help=text)


_EPILOGUE = (
    "Exit codes: 0 done and verified; 1 findings, unmet or unverified criteria; 2 bad input or usage; 3 partial; "
    "4 budget spent; 5 waiting for approval; 6 store or server unreachable; 130 interrupted. "
    "Errors go to stderr as one sentence, also with --json."
)


def _version() -> str:
    from importlib.metadata import version

    return version("plait")


def build() -> App:
    """Return the application with all its commands."""
    app = App(
        name="plait",
        help="Run one feature as parallel agent tracks; merge, verify and resume without losing anything.",
        help_format="plaintext",
        version=_version,
        help_epilogue=_EPILOGUE,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for place, (name, (target, text)) in enumerate(_COMMANDS.items()):
        app.command(target, name=name, help=text, sort_key=place)
    store = App(name="store", help="Look after a store.", sort_key=len(_COMMANDS))
    store.command("flows.cli.commands.store:check", name="check", help="Verify digests, sequence and references.")
    app.command(store)
    return app


def dispatch(arguments: list[str]) -> int:
    """Run one command.

    Raises:
        CycloptsError: The usage is wrong.
        PlaitError: The command could not do what was asked.
    """
    app = build()
    app.meta.suppress_keyboard_interrupt = False

    @app.meta.default
    def launch(  # pyright: ignore[reportUnusedFunction] the decorator registers it
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        store: Annotated[
            str | None, _everywhere("Store: a folder, file://..., s3://BUCKET/PREFIX or block:...")
        ] = None,
        json: Annotated[bool, _everywhere("Print JSON and nothing else.")] = False,
        debug: Annotated[bool, _everywhere("Show tracebacks and Prefect's own log.")] = False,
    ) -> int | None:
        command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
        session = {"session": Session(store, json, debug)} if "session" in ignored else {}
        return command(*bound.args, **bound.kwargs, **session)

    result = app.meta(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    return result if isinstance(result, int) else 0
