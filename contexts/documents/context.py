"""The context document: every field agents and plait itself write, typed; unknown fields kept.

One model serves the workflow's document, a track's and a group's, because they share their head and readers meet them
mixed in one folder. Which fields are filled tells them apart.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contexts.documents.base import Instant, Open, RelativePath
from contexts.documents.deployment import ApprovalEntry, DeploymentAttempt, DeploymentReadiness, ProductionReadiness
from contexts.documents.findings import Finding
from contexts.documents.handin import Claim, Contracts
from contexts.documents.merged import Concern, ExecutionSummary, Omission, TrackContext
from contexts.documents.parts import (
    Checkpoint,
    Decision,
    ErrorEntry,
    FeatureSpec,
    Metadata,
    PendingAction,
    TrackEntry,
    Usage,
)
from contexts.documents.records import Execution, RunRecord
from contexts.documents.refs import BlobRef
from contexts.documents.verification import (
    ComparedClaim,
    CriterionResult,
    Evidence,
    Reverification,
    SettlementEntry,
    VerificationResults,
    WaiverEntry,
)
from contexts.documents.version import SUMMARY_LIMIT
from contexts.errors import DocumentError


class Context(Open):
    """A context document, format version 1.0.

    Only the head is required. ``next_agent`` null means nobody is next: the document is complete. ``provenance`` holds,
    for every merged list, one list of sources per item, each ``task_id#pointer``: the track and the place in it.
    ``contributions`` is what a group's document passes on to the merge above it; ``checkpoint`` is what an unfinished
    agent had left in its context file.
    """

    version: str
    workflow_id: str = Field(min_length=1)
    timestamp: Instant
    current_agent: str
    phase: str
    next_agent: str | None = None
    parent_workflow_id: str | None = None
    task_id: str | None = None
    group_id: str | None = None
    status: str | None = None
    context_summary: str | None = Field(default=None, max_length=SUMMARY_LIMIT)

    feature_spec: FeatureSpec | None = None
    parallel_tasks: list[TrackEntry] | None = None
    shared_constraints: list[Any] | None = None
    integration_requirements: list[Any] | None = None
    success_criteria: dict[str, list[Any]] | None = None

    files_modified: list[RelativePath] | None = None
    decisions: list[Decision] | None = None
    pending_actions: list[PendingAction] | None = None
    constraints: list[Any] | None = None
    error_log: list[ErrorEntry] | None = None
    checkpoints: list[Checkpoint] | None = None
    checkpoint: dict[str, Any] | None = None
    metadata: Metadata | None = None
    conversation_history: list[Any] | None = None
    usage: Usage | None = None
    contracts: Annotated[Contracts | Any, Field(union_mode="left_to_right")] = None
    claimed_results: Annotated[list[Claim] | Any, Field(union_mode="left_to_right")] = None
    notes: Any = None

    implementation_details: dict[str, Any] | None = None
    api_contract_assumptions: dict[str, Any] | None = None
    security_measures: list[Any] | None = None
    test_data: dict[str, Any] | None = None
    test_results: dict[str, Any] | None = None
    assumptions: dict[str, Any] | list[Any] | None = None

    parallel_execution_summary: ExecutionSummary | None = None
    integration_concerns: list[Concern] | None = None
    track_contexts: dict[str, TrackContext] | None = None
    contributions: dict[str, dict[str, Any]] | None = None
    provenance: dict[str, list[list[str]]] | None = None
    omissions: list[Omission] | None = None
    left_out: dict[str, list[str]] | None = None
    metrics: dict[str, Any] | None = None

    verification_results: VerificationResults | None = None
    evidence: list[Evidence] | None = None
    compared_claims: list[ComparedClaim] | None = None
    findings: list[Finding] | None = None
    criteria: list[CriterionResult] | None = None
    waivers: list[WaiverEntry] | None = None
    settlements: list[SettlementEntry] | None = None
    approvals: list[ApprovalEntry] | None = None
    deployments: list[DeploymentAttempt] | None = None
    deployment_readiness: DeploymentReadiness | None = None
    deployment_info: dict[str, Any] | None = None
    reverification: Annotated[Reverification | Any, Field(union_mode="left_to_right")] = None

    execution: Execution | None = None
    run: RunRecord | None = None
    spec: BlobRef | None = None
    kind: Literal["workflow", "track", "group"] | None = None

    checksum_: str | None = Field(default=None, alias="_checksum", pattern=r"^[0-9a-f]{64}$")

    @property
    def production(self) -> ProductionReadiness | None:
        """How far production is."""
        return self.deployment_readiness.production if self.deployment_readiness else None

    @property
    def run_record(self) -> RunRecord:
        """What the run did that saved it.

        Raises:
            DocumentError: No run did.
        """
        if self.run is None:
            raise DocumentError(f"{self.workflow_id} holds no record of a run; run it first", pointer="/run")
        return self.run
