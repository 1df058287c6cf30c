"""The gate of a deployed run: suspend the flow run until a person has filled in Prefect's form.

Suspending ends the process; resuming starts the flow from the top, on any worker, where everything finished is reused.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from pydantic import Field, create_model

from contexts.documents.context import Context
from contexts.documents.deployment import ProductionReadiness
from contexts.documents.refs import ContextRef
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.verification.rulings import Answer, answer_gate, check_ticks, tick
from contexts.verification.save_ruling import amend
from flows.deployments.deployment_of import deployment_id
from tasks.prefect_ui import events
from tasks.prefect_ui.markdown import cell, words
from tasks.run.run import Run

DAYS_TO_ANSWER = 90
_ASKS = frozenset({"waiting", "unknown", "failed"})


class Decision(Enum):
    """What a person may answer at a gate."""

    APPROVE = "approve"
    REJECT = "reject"


class LateDecision(Enum):
    """What a person may answer after a production deployment that did not end well."""

    RUN_AGAIN = "run it again"
    DEPLOYED = "it is deployed after all"
    REJECT = "reject"


_ANSWERS: dict[str, Answer] = {
    "approve": "approve",
    "reject": "reject",
    "run it again": "rerun",
    "it is deployed after all": "done",
}


def waits_at_gate(context: Context) -> ProductionReadiness | None:
    """Return the production part of a context that waits for a person where this run can ask one; else None.

    Only a deployed run can be suspended.
    """
    production = context.production
    return production if production and production.status in _ASKS and deployment_id() else None


def resume_request(request: RunRequest, run: Run) -> RunRequest:
    """Return the request a suspended run goes on with, and leave it with the flow run, which starts from the top.

    What was to be done anew is done by now, and a workflow named after the day it began keeps its name.
    """
    again = request.model_copy(update={"fresh": False, "rerun": ()})
    if run.spec.workflow_id != run.workflow_id:
        folder = str(Path(request.spec).parent) if request.spec else request.spec_dir
        named = {"spec": None, "inline": None, "workflow_id": run.workflow_id, "spec_dir": folder}
        again = again.model_copy(update=named)
    if again != request:
        with get_client(sync_client=True) as client:
            client.update_flow_run(UUID(str(flow_run.id)), parameters={**again.model_dump(), "rerun": []})
    return again


def ask(store: ContextStore, final: ContextRef, production: ProductionReadiness) -> None:
    """Suspend the flow run until a person has answered, and save the answer as a decision.

    Call it without the lease: the first call ends this process. The same question has the same key, so that the run
    that goes on finds the answer and is not suspended again; every saved answer makes another question.

    Raises:
        Pause: The flow run is suspended.
        PlaitError: The answer could not be saved.
    """
    context = store.load_context(final)
    gate, subject = str(production.gate), str(production.subject)
    number = sum(one.subject == subject for one in context.approvals or ())
    key = f"plait-{gate}-{subject[:12]}-{number}".replace(".", "-").replace("_", "-")
    form = _form(context, production)
    given: Any = suspend_flow_run(wait_for_input=form, timeout=DAYS_TO_ANSWER * 24 * 3600, key=key)
    ticked = [name for field, name in _fields(production).items() if getattr(given, field)]
    answer = _ANSWERS[given.decision.value]
    by, note = str(given.who), str(given.note)

    def decide(newest: Context, at: str) -> Context:
        if answer == "approve" and check_ticks(production, ticked):
            # The form cannot insist on a tick: what was ticked is kept, and the gate asks again.
            return tick(newest, gate, by=by, note=note, at=at, ticked=ticked)
        return answer_gate(newest, gate, answer=answer, by=by, note=note or answer, at=at, ticked=ticked)

    saved = store.load_context(amend(store, final.workflow_id, decide))
    events.approval_given(final.workflow_id, (saved.approvals or [])[-1])


def _fields(production: ProductionReadiness) -> dict[str, str]:
    """Return the form's field for every manual prerequisite that is not ticked yet."""
    return {
        f"prerequisite_{number}": one.id
        for number, one in enumerate(production.known, 1)
        if one.manual and one.status == "pending"
    }


def _form(context: Context, production: ProductionReadiness) -> type[RunInput]:
    decision: Any = Decision if production.status == "waiting" else LateDecision
    texts = {one.id: one.text for one in production.known}
    boxes: Any = {
        field: (bool, Field(default=False, title=words(texts[name], 200), description=words(f"Prerequisite {name}")))
        for field, name in _fields(production).items()
    }
    form: Any = create_model(
        "Approval",
        __base__=RunInput,
        who=(str, Field(title="Who decides", min_length=1, description="As trustworthy as the login of this server")),
        decision=(decision, Field(title="Decision")),
        note=(str, Field(default="", title="Note", description="What is to be remembered with the decision")),
        **boxes,
    )
    return form.with_initial_data(description=describe(context, production))


def describe(context: Context, production: ProductionReadiness) -> str:
    """Return what the person who decides should know, as markdown."""
    lines = [f"**{cell(context.workflow_id)}** waits at gate **{cell(production.gate)}**.", ""]
    if production.status != "waiting":
        lines += [cell(reason) for reason in context.run_record.reasons or ()]
    staging = context.deployment_readiness.staging if context.deployment_readiness else None
    if staging:
        lines += [f"Staging: {cell(staging.status)}, {cell(staging.validation or '')}", ""]
    for one in production.known:
        why = one.reason or one.by
        lines.append(f"- {cell(one.status)}: {cell(one.text)}" + (f" ({cell(why)})" if why else ""))
    return "\n".join(lines)
