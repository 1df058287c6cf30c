"""Rewritings that change how documents say something, and nothing of what they say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.contexts.audit.editing import Editor

Rewrite = Callable[[Editor], bool]
REWRITES: dict[str, Rewrite] = {}
_CONTRACTS = r"^/(api_contract_assumptions|contracts)/"


def _rewrite(change: Rewrite) -> Rewrite:
    REWRITES[change.__name__.strip("_")] = change
    return change


def _each(edit: Editor, change: Callable[[str], str], *names: str, key: str = "", matching: str = "") -> bool:
    """Change every text at matching places; tell whether any changed."""
    changed = False
    for name, path, value in list(edit.texts(*names, key=key, matching=matching)):
        new = change(value)
        if new != value:
            edit.set(name, path, new)
            changed = True
    return changed


def _rename(edit: Editor, change: Callable[[str], str], root: str) -> bool:
    """Rename the members below a member of every document."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {change(key): renamed(inner) for key, inner in value.items()}
        return [renamed(inner) for inner in value] if isinstance(value, list) else value

    changed = False
    for data in edit.documents.values():
        # The paths of an OpenAPI document have one notation, and its parameters are named after them.
        if root in data and "openapi" not in data[root]:
            new = renamed(data[root])
            changed = changed or new != data[root]
            data[root] = new
    return changed


def _shuffled(edit: Editor, value: Any) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        edit.random.shuffle(keys)
        return {key: _shuffled(edit, value[key]) for key in keys}
    return [_shuffled(edit, inner) for inner in value] if isinstance(value, list) else value


@_rewrite
def members_stand_in_another_order(edit: Editor) -> bool:
    edit.documents = {name: _shuffled(edit, data) for name, data in edit.documents.items()}
    return True


@_rewrite
def files_have_other_names_and_order(edit: Editor) -> bool:
    names = list(edit.documents)
    edit.documents = {f"ctx-{len(names) - i:02}.json": edit.documents[name] for i, name in enumerate(names)}
    return True


@_rewrite
def path_parameters_are_written_with_colons(edit: Editor) -> bool:
    return _rename(edit, lambda key: re.sub(r"[{<](\w+)[}>]", r":\1", key), "api_contract_assumptions")


@_rewrite
def path_parameters_are_written_with_braces(edit: Editor) -> bool:
    return _rename(edit, lambda key: re.sub(r"(?:<(\w+)>|:(\w+))", r"{\1\2}", key), "api_contract_assumptions")


@_rewrite
def path_parameters_are_written_with_angles(edit: Editor) -> bool:
    return _rename(edit, lambda key: re.sub(r"(?:\{(\w+)\}|:(\w+))", r"<\1\2>", key), "api_contract_assumptions")


@_rewrite
def path_parameters_have_other_names(edit: Editor) -> bool:
    return _rename(edit, lambda key: re.sub(r"(/[:{<])\w+", r"\1key", key), "api_contract_assumptions")


@_rewrite
def paths_end_with_a_slash(edit: Editor) -> bool:
    return _rename(edit, lambda key: f"{key}/" if re.match("[A-Z]+ /", key) else key, "api_contract_assumptions")


@_rewrite
def providers_answer_one_more_field(edit: Editor) -> bool:
    return _each(
        edit, lambda v: f"{v}, trace: Optional[str]", *edit.tracks, key=r"/schemas/\w*(Out|List|Response)/fields$"
    )


@_rewrite
def providers_accept_one_more_optional_field(edit: Editor) -> bool:
    return _each(
        edit, lambda v: f"{v}, hint: Optional[str] = None", *edit.tracks, key=r"/schemas/\w*(In|Create|Cancel)/fields$"
    )


@_rewrite
def providers_declare_one_more_code(edit: Editor) -> bool:
    found = [
        v for _, p, v in edit.walk(*edit.tracks) if p[-1:] == ("error_codes",) and p[0] == "implementation_details"
    ]
    for codes in found:
        codes.append(500)
    return bool(found)


@_rewrite
def status_codes_are_texts(edit: Editor) -> bool:
    found = [(n, p, v) for n, p, v in edit.walk() if p[-1:] == ("error_codes",)]
    for name, path, codes in found:
        edit.set(name, path, [str(code) for code in codes])
    return True


@_rewrite
def status_codes_stand_in_another_order(edit: Editor) -> bool:
    for _, path, codes in list(edit.walk()):
        if path[-1:] == ("error_codes",):
            codes.reverse()
    return True


@_rewrite
def types_are_spelt_with_semicolons(edit: Editor) -> bool:
    return _each(edit, lambda v: v.replace(", ", "; "), key=_CONTRACTS, matching=r"^\{ \w+\??: [^<(]*$")


@_rewrite
def nullable_types_put_null_first(edit: Editor) -> bool:
    return _each(edit, lambda v: re.sub(r"string \| null", "null | string", v), key=_CONTRACTS)


@_rewrite
def lists_are_spelt_as_generics(edit: Editor) -> bool:
    return _each(edit, lambda v: re.sub(r"string\[\]", "Array<string>", v), key=_CONTRACTS)


@_rewrite
def enums_name_their_values_in_another_order(edit: Editor) -> bool:
    return _each(edit, lambda v: re.sub(r"('\w+') \| ('\w+')", r"\2 | \1", v), key=_CONTRACTS)


@_rewrite
def optional_types_are_unions_with_none(edit: Editor) -> bool:
    return _each(edit, lambda v: re.sub(r"Optional\[(\w+)\]", r"\1 | None", v), *edit.tracks, key="/fields$")


@_rewrite
def lists_are_imported_from_typing(edit: Editor) -> bool:
    return _each(edit, lambda v: v.replace("list[", "List["), *edit.tracks, key="/fields$")


@_rewrite
def limits_are_spelt_as_constraints(edit: Editor) -> bool:
    return _each(
        edit, lambda v: re.sub(r"\(min (\d+), max (\d+)\)", r"(ge=\1, le=\2)", v), *edit.tracks, key="/fields$"
    )


@_rewrite
def fields_are_written_one_a_line(edit: Editor) -> bool:
    return _each(edit, lambda v: re.sub(r", (?=\w+:)", ",\n", v), *edit.tracks, key="/fields$")


@_rewrite
def fields_are_an_object(edit: Editor) -> bool:
    changed = False
    for name, path, value in list(edit.texts(*edit.tracks, key="/fields$")):
        parts = re.split(r", (?=\w+: )", value)
        edit.set(name, path, dict(part.split(": ", 1) for part in parts))
        changed = True
    return changed


@_rewrite
def instants_are_in_another_zone(edit: Editor) -> bool:
    zone = timezone(timedelta(hours=-5, minutes=-30))
    return _each(
        edit,
        lambda v: datetime.fromisoformat(v).astimezone(zone).isoformat(),
        *edit.random.sample(list(edit.documents), 3),
        matching=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$",
    )


@_rewrite
def instants_have_fractions_of_seconds(edit: Editor) -> bool:
    return _each(
        edit, lambda v: re.sub(r"(T\d\d:\d\d:\d\d)", r"\1.000", v), matching=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-])"
    )


@_rewrite
def instants_spell_utc_out(edit: Editor) -> bool:
    return _each(edit, lambda v: v.replace("Z", "+00:00"), matching=r"^\d{4}-\d\d-\d\dT[\d:]+Z$")


def _percents(edit: Editor, change: Callable[[str], Any]) -> bool:
    found = list(edit.texts(key=r"(coverage|total)$", matching=r"^\d+(\.\d+)?%$"))
    for name, path, value in found:
        edit.set(name, path, change(value))
    return bool(found)


@_rewrite
def percentages_are_numbers(edit: Editor) -> bool:
    return _percents(edit, lambda v: float(v[:-1]))


@_rewrite
def percentages_are_shares_of_one(edit: Editor) -> bool:
    return _percents(edit, lambda v: float(v[:-1]) / 100)


@_rewrite
def percentages_have_a_space(edit: Editor) -> bool:
    return _percents(edit, lambda v: v.replace("%", " %"))


@_rewrite
def percentages_have_decimals(edit: Editor) -> bool:
    return _percents(edit, lambda v: v.replace("%", ".0%"))


@_rewrite
def percent_is_a_word(edit: Editor) -> bool:
    return _each(edit, lambda v: re.sub(r"(\d)%", r"\1 percent", v), edit.verified, key="/measurements/")


@_rewrite
def milliseconds_are_spelt_out(edit: Editor) -> bool:
    return _each(edit, lambda v: re.sub(r"(\d) ms\b", r"\1 milliseconds", v), edit.verified, key="/measurements/")


@_rewrite
def milliseconds_are_seconds(edit: Editor) -> bool:
    return _each(
        edit,
        lambda v: re.sub(r"(\d+) ms\b", lambda m: f"{int(m[1]) / 1000:.3f} s", v),
        edit.verified,
        key="/measurements/",
    )


@_rewrite
def measured_values_lose_their_ticks(edit: Editor) -> bool:
    return _each(edit, lambda v: v.replace(" ✅", ""), edit.verified, key="/(measurements|performance)/")


@_rewrite
def targets_are_spelt_with_signs(edit: Editor) -> bool:
    return _each(
        edit, lambda v: v.replace("at least ", ">= ").replace("at most ", "<= "), edit.verified, key="/measurements/"
    )


@_rewrite
def targets_are_spelt_in_words(edit: Editor) -> bool:
    return _each(
        edit, lambda v: v.replace("<= ", "at most ").replace("< ", "below "), edit.verified, key="/measurements/"
    )


@_rewrite
def fractions_are_spelt_in_words(edit: Editor) -> bool:
    return _each(edit, lambda v: re.sub(r"\A(\d+)/(\d+)", r"\1 of \2", v), edit.verified, key="/test_execution/")


@_rewrite
def fractions_have_no_percentage(edit: Editor) -> bool:
    return _each(edit, lambda v: v.replace(" (100%)", ""), edit.verified, key="/test_execution/")


def _reorder(edit: Editor, key: str) -> bool:
    edit.random.shuffle(edit.documents[edit.merged][key])
    return True


@_rewrite
def merged_decisions_stand_in_another_order(edit: Editor) -> bool:
    return _reorder(edit, "decisions")


@_rewrite
def merged_files_stand_in_another_order(edit: Editor) -> bool:
    return _reorder(edit, "files_modified")


@_rewrite
def merged_decisions_name_their_track(edit: Editor) -> bool:
    for path, value in [(p, v) for _, p, v in edit.walk(edit.merged) if p[:1] == ("decisions",) and len(p) == 2]:
        if not isinstance(value, str):
            return False
        owner = next(edit.documents[n]["task_id"] for n in edit.tracks if value in edit.documents[n]["decisions"])
        edit.set(edit.merged, path, f"[{owner}] {value}")
    return True


@_rewrite
def merged_items_differ_in_spaces_and_stops(edit: Editor) -> bool:
    return _each(edit, lambda v: f"  {v.replace(' ', '  ')}. ", edit.merged, key=r"^/(decisions|pending_actions)/\d+$")


@_rewrite
def merged_items_are_normalised_otherwise(edit: Editor) -> bool:
    added = " (geprüft für Zürich)"
    for name in (*edit.tracks, edit.merged):
        for path, value in [(p, v) for _, p, v in edit.walk(name) if p[:1] == ("decisions",) and isinstance(v, str)]:
            shown = value + added
            edit.set(name, path, unicodedata.normalize("NFD" if name == edit.merged else "NFC", shown))
    return bool(edit.places)


@_rewrite
def merged_paths_begin_with_a_dot(edit: Editor) -> bool:
    return _each(edit, lambda v: f"./{v}", edit.merged, key=r"^/files_modified/\d+$")


@_rewrite
def documents_hold_members_nobody_knows(edit: Editor) -> bool:
    for data in edit.documents.values():
        data["x-build"] = {"host": "ci", "attempt": 1, "labels": ["nightly", "green"]}
        data["usage"] = {"input_tokens": 51200, "output_tokens": 7300, "cost_usd": 1.25}
    return True


@_rewrite
def documents_hold_checkpoints(edit: Editor) -> bool:
    for data in edit.documents.values():
        data["checkpoints"] = [{"id": "cp-1", "timestamp": data["timestamp"], "phase": data["phase"]}]
    return True


@_rewrite
def documents_have_no_summary(edit: Editor) -> bool:
    for data in edit.documents.values():
        del data["context_summary"]
    return True


@_rewrite
def pending_actions_carry_their_status(edit: Editor) -> bool:
    if not isinstance(edit.documents[edit.merged]["pending_actions"][0], str):
        return False
    for data in edit.documents.values():
        if "pending_actions" in data:
            data["pending_actions"] = [{"action": action, "status": "pending"} for action in data["pending_actions"]]
    return True


@_rewrite
def decisions_of_the_merge_are_objects(edit: Editor) -> bool:
    decisions = edit.documents[edit.merged]["decisions"]
    if not isinstance(decisions[0], str):
        return False
    edit.documents[edit.merged]["decisions"] = [{"decision": decision, "rationale": ""} for decision in decisions]
    return True


@_rewrite
def criteria_are_carried_in_another_order(edit: Editor) -> bool:
    criteria = edit.documents[edit.merged]["success_criteria"]
    for values in criteria.values():
        values.reverse()
    edit.documents[edit.merged]["success_criteria"] = dict(reversed(criteria.items()))
    return True
