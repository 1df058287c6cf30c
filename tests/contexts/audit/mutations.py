"""Defects to plant into any clean set of documents: each changes one thing and says where it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.contexts.audit.editing import Editor, Path_

Mutation = Callable[[Editor], bool]
MUTATIONS: dict[str, Mutation] = {}
_ENDPOINT = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) /")


def _mutation(mutate: Mutation) -> Mutation:
    MUTATIONS[mutate.__name__.strip("_")] = mutate
    return mutate


def _assumed(edit: Editor, part: str) -> list[tuple[str, Path_, Any]]:
    """Return every request, response or list of codes that the tracks expect of others."""
    return [
        (name, path, value)
        for name, path, value in edit.walk(*edit.tracks)
        if path[:1] == ("api_contract_assumptions",) and len(path) == 3 and path[2] == part
    ]


def _offered(edit: Editor) -> list[tuple[str, Path_, str]]:
    """Return the fields of the answers that consumers read, as the providers write them."""
    wanted = {re.sub(r"[:{<]\w+[}>]?", "{}", str(path[1])) for _, path, _ in _assumed(edit, "response")}
    models = {
        value["response_model"]
        for _, path, value in edit.walk(*edit.tracks)
        if isinstance(value, dict) and "response_model" in value and re.sub(r"[{]\w+[}]", "{}", str(path[-1])) in wanted
    }
    return [x for x in edit.texts(*edit.tracks, key=r"/schemas/[^/]+/fields$") if x[1][-2] in models]


# Contracts


@_mutation
def a_read_field_is_renamed_by_its_consumer(edit: Editor) -> bool:
    found = edit.choose(_assumed(edit, "response"))
    return edit.replace(found, r"([{,] )(\w+)(\??:)", r"\1\2_renamed\3")


@_mutation
def an_answered_field_changes_its_type(edit: Editor) -> bool:
    return edit.replace(edit.choose(_offered(edit)), r"(\w+): (?:str|UUID|datetime|bool)(?=,|$)", r"\1: list[int]")


@_mutation
def a_read_field_changes_its_type(edit: Editor) -> bool:
    found = edit.choose(x for x in _assumed(edit, "response") if ": string" in x[2])
    return edit.replace(found, r": string(?=[,; ])", ": boolean")


@_mutation
def a_read_enum_loses_a_value(edit: Editor) -> bool:
    found = edit.choose(x for x in _assumed(edit, "response") if " | '" in x[2])
    return edit.replace(found, r" \| '\w+'", "")


@_mutation
def a_nullable_answer_is_read_as_never_null(edit: Editor) -> bool:
    found = edit.choose(x for x in _assumed(edit, "response") if "| null" in x[2])
    return edit.replace(found, r" \| null", "")


@_mutation
def an_answer_becomes_nullable(edit: Editor) -> bool:
    found = edit.choose(x for x in _offered(edit) if x[2].startswith("id: UUID"))
    return edit.replace(found, r"id: UUID", "id: Optional[UUID]")


@_mutation
def an_offered_endpoint_moves(edit: Editor) -> bool:
    wanted = {re.sub(r"[:{<]\w+[}>]?", "{}", str(path[1])) for _, path, _ in _assumed(edit, "response")}
    found = [
        (name, path)
        for name, path, value in edit.walk(*edit.tracks)
        if path[:1] == ("implementation_details",)
        and isinstance(value, dict)
        and _ENDPOINT.match(str(path[-1]))
        and re.sub(r"[{]\w+[}]", "{}", str(path[-1])) in wanted
    ]
    if not found:
        return False
    name, path = edit.random.choice(found)
    holder = edit.get(name, *path[:-1])
    moved = str(path[-1]).replace(" /", " /elsewhere/")
    holder[moved] = holder.pop(path[-1])
    edit.mark(name, (*path[:-1], moved))
    same = re.sub(r"[:{<]\w+[}>]?", "{}", str(path[-1]))
    for n, p, _ in _assumed(edit, "response"):
        if re.sub(r"[:{<]\w+[}>]?", "{}", str(p[1])) == same:
            edit.mark(n, p[:-1])
    return True


@_mutation
def a_consumer_uses_another_method(edit: Editor) -> bool:
    def template(endpoint: str) -> str:
        return re.sub(r"[:{<]\w+[}>]?", "{}", endpoint)

    taken = {template(str(path[-1])) for _, path, _ in edit.walk() if path and "PATCH /" in str(path[-1])}
    options = [(n, path, f"PATCH {str(path[1]).split(' ', 1)[1]}") for n, path, _ in _assumed(edit, "response")]
    found = edit.choose(option for option in options if template(option[2]) not in taken)
    if found is None:
        return False
    name, path, other = found
    holder = edit.get(name, path[0])
    holder[other] = holder.pop(path[1])
    edit.mark(name, (path[0], other))
    return True


@_mutation
def a_provider_requires_another_field(edit: Editor) -> bool:
    wanted = {re.sub(r"[:{<]\w+[}>]?", "{}", str(path[1])) for _, path, _ in _assumed(edit, "request")}
    models = {
        value["request_model"]
        for _, path, value in edit.walk(*edit.tracks)
        if isinstance(value, dict) and "request_model" in value and re.sub(r"[{]\w+[}]", "{}", str(path[-1])) in wanted
    }
    found = edit.choose(x for x in edit.texts(*edit.tracks, key=r"/schemas/[^/]+/fields$") if x[1][-2] in models)
    return edit.replace(found, r"\A", "tenant_code: str, ")


@_mutation
def a_consumer_stops_sending_a_required_field(edit: Editor) -> bool:
    found = edit.choose(_assumed(edit, "request"))
    return edit.replace(found, r"\{ \w+: [\w' |]+, ", "{ ")


@_mutation
def a_response_model_is_misspelt(edit: Editor) -> bool:
    found = edit.choose(edit.texts(*edit.tracks, key="/response_model$"))
    return edit.replace(found, r"\Z", "s")


@_mutation
def an_openapi_reference_leads_nowhere(edit: Editor) -> bool:
    return edit.replace(edit.choose(edit.texts(*edit.tracks, key=r"/\$ref$")), r"\Z", "Gone")


@_mutation
def an_openapi_document_loses_a_required_member(edit: Editor) -> bool:
    found = edit.choose(
        (n, p)
        for n, p, v in edit.walk(*edit.tracks)
        if p[-1:] == ("info",) and isinstance(v, dict) and "openapi" in edit.get(n, *p[:-1])
    )
    if not found:
        return False
    edit.remove(found[0], (*found[1], "version"))
    edit.mark(*found)
    return True


@_mutation
def an_openapi_property_changes_its_type(edit: Editor) -> bool:
    read = {w for _, _, v in _assumed(edit, "response") for w in re.findall(r"(\w+)\??: (?:string|boolean)", v)}
    found = edit.choose(
        (n, p)
        for n, p, v in edit.walk(*edit.tracks)
        if len(p) > 3 and p[-2] == "properties" and p[-1] in read and v.get("type") in ("string", "boolean")
    )
    if not found:
        return False
    edit.set(found[0], found[1], {"type": "array", "items": {"type": "integer"}})
    edit.mark(found[0], found[1][:-2])
    for name, path, value in _assumed(edit, "response"):
        if re.search(rf"\b{found[1][-1]}\??:", str(value)):
            edit.mark(name, path)
    return True


# Assumptions


@_mutation
def a_test_selects_what_nobody_renders(edit: Editor) -> bool:
    found = edit.choose(edit.texts(*edit.tracks, key="/selectors/"))
    return edit.replace(found, r"([\w-]{4,})(?=']|\Z)", r"\1-gone")


@_mutation
def a_fixture_id_is_no_uuid(edit: Editor) -> bool:
    found = edit.choose(edit.texts(*edit.tracks, key="^/test_data/.*_id$", matching=r"^[0-9a-f]{8}-"))
    return edit.replace(found, r".+", "customer-1")


@_mutation
def a_fixture_value_is_outside_the_enum(edit: Editor) -> bool:
    found = edit.choose(edit.texts(*edit.tracks, key="^/test_data/.*/(currency|platform|grain)$"))
    return edit.replace(found, r".+", "other")


@_mutation
def a_fixture_has_another_type(edit: Editor) -> bool:
    found = edit.choose(
        (n, p)
        for n, p, v in edit.walk(*edit.tracks)
        if p[:1] == ("test_data",) and p[-1] in {"limit", "currency", "platform"}
    )
    if not found:
        return False
    edit.set(found[0], found[1], ["x"])
    return True


@_mutation
def an_assumption_names_an_endpoint_nobody_offers(edit: Editor) -> bool:
    name = edit.choose(edit.tracks)
    edit.documents[name].setdefault("assumptions", {})["cleanup"] = "DELETE /v9/everything empties the database"
    edit.mark(name, ("assumptions", "cleanup"))
    return True


# Thresholds


# Arithmetic


# Fidelity


def _lose(edit: Editor, key: str) -> bool:
    items = edit.documents[edit.merged][key]
    item = edit.choose(items)
    items.remove(item)
    edit.mark(edit.merged, (key,))
    for name in edit.tracks:
        own = edit.documents[name].get(key) or []
        if item in own:
            edit.places.insert(0, (name, f"/{key}/{own.index(item)}"))
    edit.places.pop()  # the very item must be named, not only the list it is missing from
    return True


@_mutation
def a_merge_loses_a_file(edit: Editor) -> bool:
    return _lose(edit, "files_modified")


@_mutation
def a_merge_loses_a_decision(edit: Editor) -> bool:
    return _lose(edit, "decisions")


@_mutation
def a_merge_loses_a_pending_action(edit: Editor) -> bool:
    return _lose(edit, "pending_actions")


@_mutation
def a_merge_loses_an_error(edit: Editor) -> bool:
    if not edit.documents[edit.merged].get("error_log"):
        return False
    edit.documents[edit.merged]["error_log"] = []
    edit.places.extend((name, "/error_log/0") for name in edit.tracks if edit.documents[name].get("error_log"))
    return True


@_mutation
def a_merge_invents_a_file(edit: Editor) -> bool:
    files = edit.documents[edit.merged]["files_modified"]
    files.append("lib/unheard/of.py")
    edit.mark(edit.merged, ("files_modified", len(files) - 1))
    return True


@_mutation
def a_merge_invents_a_decision(edit: Editor) -> bool:
    decisions = edit.documents[edit.merged]["decisions"]
    spoken = "Everything moves to a message bus next quarter"
    decisions.append(
        spoken if isinstance(decisions[0], str) else {"topic": "bus", "choice": spoken, "rationale": "none"}
    )
    edit.mark(edit.merged, ("decisions", len(decisions) - 1))
    return True


@_mutation
def a_merge_repeats_a_file(edit: Editor) -> bool:
    files = edit.documents[edit.merged]["files_modified"]
    files.append(files[0])
    edit.mark(edit.merged, ("files_modified", len(files) - 1))
    return True


@_mutation
def a_merge_changes_a_number_in_a_decision(edit: Editor) -> bool:
    found = edit.choose(edit.texts(edit.merged, key=r"^/decisions/\d+(/choice)?$", matching=r"\b\d+\b"))
    return edit.replace(found, r"\b\d+\b", lambda m: str(int(m[0]) + 7))


@_mutation
def a_merge_changes_a_word_of_a_pending_action(edit: Editor) -> bool:
    found = edit.choose(edit.texts(edit.merged, key=r"^/pending_actions/\d+(/action)?$"))
    return edit.replace(found, r"\w+\Z", "someday")


@_mutation
def a_merge_drops_a_constraint(edit: Editor) -> bool:
    gone = edit.documents[edit.merged]["shared_constraints"].pop()
    edit.mark(edit.parent, ("shared_constraints", edit.documents[edit.parent]["shared_constraints"].index(gone)))
    return True


@_mutation
def a_merge_drops_a_criterion(edit: Editor) -> bool:
    area = edit.choose(sorted(edit.documents[edit.merged]["success_criteria"]))
    edit.documents[edit.merged]["success_criteria"][area].pop()
    edit.mark(edit.parent, ("success_criteria", area, len(edit.documents[edit.parent]["success_criteria"][area]) - 1))
    return True


@_mutation
def a_merge_drops_the_contract_of_a_track(edit: Editor) -> bool:
    contracts = edit.documents[edit.merged].get("contracts", {})
    found = edit.choose((t, e) for t in sorted(contracts) for e in sorted(contracts[t]) if " /" in e)
    if found is None:
        return False
    track, endpoint = found
    del contracts[track][endpoint]
    name = next(n for n in edit.tracks if edit.documents[n]["task_id"] == track)
    edit.mark(name, ("api_contract_assumptions", endpoint))
    return True


@_mutation
def a_merge_changes_a_contract(edit: Editor) -> bool:
    found = edit.choose(edit.texts(edit.merged, key="^/contracts/.*/response$"))
    return edit.replace(found, r": string", ": number")


@_mutation
def a_failed_track_is_merged_as_completed(edit: Editor) -> bool:
    name = edit.choose(edit.tracks)
    data = edit.documents[name]
    key = "status" if "status" in data else "phase"
    data[key] = "failed" if key == "status" else f"{data['task_id']}-failed"
    edit.mark(name, (key,))
    return True


@_mutation
def a_merge_leaves_a_track_out(edit: Editor) -> bool:
    tasks = edit.documents[edit.merged]["parallel_execution_summary"]["tasks"]
    gone = tasks.pop(edit.random.randrange(len(tasks)))["task_id"]
    for _name, path, value in list(edit.walk(edit.merged)):
        if isinstance(value, str) and gone in value and path:
            edit.get(edit.merged, *path[:-1])[path[-1]] = value.replace(gone, "others")
    for key in ("contracts",):
        edit.documents[edit.merged].get(key, {}).pop(gone, None)
    index = next(i for i, t in enumerate(edit.documents[edit.parent]["parallel_tasks"]) if t["task_id"] == gone)
    edit.mark(edit.parent, ("parallel_tasks", index))
    return True


@_mutation
def a_merge_names_another_agent(edit: Editor) -> bool:
    found = edit.choose(edit.texts(edit.merged, key="^/parallel_execution_summary/tasks/.*/agent$"))
    return edit.replace(found, r".+", "somebody-else")


# Claims


@_mutation
def codes_are_said_to_be_documented_that_are_not(edit: Editor) -> bool:
    concerns = edit.documents[edit.merged].setdefault("integration_concerns", [])
    concerns.append({"concern": "Errors", "provider_provides": "409, 418 and 451 as documented", "status": "aligned"})
    edit.mark(edit.merged, ("integration_concerns", len(concerns) - 1))
    return True


# References


@_mutation
def a_context_ref_names_another_document(edit: Editor) -> bool:
    found = edit.choose(edit.texts(edit.parent, key="/context_ref$"))
    return edit.replace(found, r"\.json", "-old.json")


@_mutation
def a_prerequisite_does_not_exist(edit: Editor) -> bool:
    edit.documents[edit.parent]["parallel_tasks"][-1]["needs"] = ["schema-design"]
    edit.mark(edit.parent, ("parallel_tasks", len(edit.documents[edit.parent]["parallel_tasks"]) - 1, "needs", 0))
    return True


@_mutation
def a_merged_track_was_never_planned(edit: Editor) -> bool:
    tasks = edit.documents[edit.merged]["parallel_execution_summary"]["tasks"]
    tasks[-1]["task_id"] += "-v2"
    edit.mark(edit.merged, ("parallel_execution_summary", "tasks", len(tasks) - 1, "task_id"))
    return True


@_mutation
def a_measured_endpoint_does_not_exist(edit: Editor) -> bool:
    found = edit.choose(
        (n, p) for n, p, v in edit.walk(edit.verified) if p and "measurements" in p and _ENDPOINT.match(str(p[-1]))
    )
    if found is None:
        return False
    holder = edit.get(found[0], *found[1][:-1])
    moved = f"{found[1][-1]}/preview"
    holder[moved] = holder.pop(found[1][-1])
    edit.mark(found[0], (*found[1][:-1], moved))
    return True


@_mutation
def an_applied_migration_is_in_no_track(edit: Editor) -> bool:
    return edit.replace(edit.choose(edit.texts(edit.verified, key="/migration$")), r"\Z", "_v2")


@_mutation
def a_described_file_was_not_modified(edit: Editor) -> bool:
    return edit.replace(
        edit.choose(edit.texts(*edit.tracks, key="^/implementation_details/.*/path$")), r"\.(\w+)\Z", r"2.\1"
    )


@_mutation
def a_track_belongs_to_another_workflow(edit: Editor) -> bool:
    return edit.replace(edit.choose(edit.texts(*edit.tracks, key="^/parent_workflow_id$")), r"\Z", "-old")


@_mutation
def a_measurement_names_an_unknown_criterion(edit: Editor) -> bool:
    return edit.replace(edit.choose(edit.texts(edit.verified, key="/criterion$")), r"\Z", "-x")


# Time


def _shifted(value: str, **by: int) -> str:
    return (datetime.fromisoformat(value) + timedelta(**by)).isoformat()


def _shift(edit: Editor, name: str, path: Path_, **by: int) -> bool:
    value = edit.get(name, *path)
    if value is None:
        return False
    edit.set(name, path, _shifted(value, **by))
    return True


@_mutation
def a_workflow_ends_before_it_starts(edit: Editor) -> bool:
    return _shift(edit, edit.merged, ("parallel_execution_summary", "completed_at"), hours=-8)


@_mutation
def a_merge_is_older_than_its_tracks(edit: Editor) -> bool:
    return _shift(edit, edit.merged, ("timestamp",), hours=-12)


@_mutation
def a_verification_is_older_than_its_merge(edit: Editor) -> bool:
    return _shift(edit, edit.verified, ("timestamp",), hours=-12)


@_mutation
def a_track_is_older_than_its_start(edit: Editor) -> bool:
    return _shift(edit, edit.choose(edit.tracks), ("timestamp",), days=-1)


@_mutation
def an_error_is_younger_than_its_document(edit: Editor) -> bool:
    found = edit.choose(
        (n, p) for n, p, v in edit.walk(*edit.tracks) if p[:1] == ("error_log",) and p[-1:] == ("timestamp",)
    )
    return found is not None and _shift(edit, *found, days=2)


@_mutation
def an_approval_is_younger_than_its_document(edit: Editor) -> bool:
    return _shift(edit, edit.verified, ("approvals", 0, "at"), days=2)


@_mutation
def a_timestamp_is_on_no_calendar(edit: Editor) -> bool:
    name = edit.choose(edit.tracks)
    edit.set(name, ("timestamp",), re.sub(r"-\d\d-\d\dT", "-02-30T", edit.get(name, "timestamp")))
    return True
