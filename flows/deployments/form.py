"""How parameters appear in the form of the Prefect UI: a title for each, one plain input instead of a choice of types.

Prefect takes the description from the flow's docstring and would take the title from the parameter's name. An optional
text is shown as a text; left empty it means none. So the default the form is told is the empty value: told null, it
would send null along, which is no text, and every form with an optional field left alone would be refused.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema


def _none_if_empty(value: Any) -> Any:
    return None if value in ("", {}, []) else value


_TEXT = WithJsonSchema({"type": "string"})
_EMPTY = BeforeValidator(_none_if_empty)


def _shown(title: str, *examples: Any, empty: Any = ...) -> Any:
    default = {} if empty is ... else {"default": empty}
    given = {"examples": list(examples)} if examples else {}
    return Field(json_schema_extra={"title": title, **default, **given})


SpecPath = Annotated[str | None, _EMPTY, _TEXT, _shown("Spec file", "examples/nightly/spec.yaml", empty="")]
WorkflowId = Annotated[str | None, _EMPTY, _TEXT, _shown("Stored workflow", "user-profile", empty="")]
InlineSpec = Annotated[
    dict[str, Any] | None,
    _EMPTY,
    WithJsonSchema({"type": "object", "additionalProperties": True}),
    _shown("Inline spec", empty={}),
]
SpecFolder = Annotated[str | None, _EMPTY, _TEXT, _shown("Spec folder", "examples/nightly", empty="")]
StoreName = Annotated[
    str | None, _EMPTY, _TEXT, _shown("Store", "block:s3-contexts/main", "s3://bucket/prefix", empty="")
]
Recordings = Annotated[str | None, _EMPTY, _TEXT, _shown("Recordings", empty="")]
RepositoryName = Annotated[
    str | None, _EMPTY, _TEXT, _shown("Repository", "https://example.org/team/app.git", empty="")
]
Fresh = Annotated[bool, _shown("Run everything again")]
TrackIds = Annotated[
    list[str] | None,
    _EMPTY,
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
    _shown("Tracks to run again", ["backend"], empty=[]),
]
SkipAfter = Annotated[int, Field(ge=0, json_schema_extra={"title": "Skip when so many minutes late"})]
WorkflowIds = Annotated[list[str], _shown("Workflows", ["user-profile"])]
GitReference = Annotated[str | None, _EMPTY, _TEXT, _shown("Branch, tag or commit", "main", empty="")]
MaxRestarts = Annotated[int, Field(ge=1, le=20, json_schema_extra={"title": "Restarts at most"})]
WatchSeconds = Annotated[float, Field(ge=0, le=300, json_schema_extra={"title": "Seconds to watch"})]
PendingMinutes = Annotated[float, Field(ge=0, le=1440, json_schema_extra={"title": "Minutes to begin"})]
ArchiveDays = Annotated[int, Field(ge=1, json_schema_extra={"title": "Archive after days"})]
KeepCheckpoints = Annotated[int, Field(ge=1, json_schema_extra={"title": "Checkpoints to keep"})]
DryRun = Annotated[bool, _shown("Dry run")]
DeploymentName = Annotated[str, _shown("Deployment")]
