"""A program of its own: reads GraphQL with graphql-core, and holds consumers' files against providers' schemas.

Usage: ``python -I graphql_reader.py JOB.json``; JOB is ``{files: [{key, track, side, path, text}]}``. Prints
``{reads: {KEY: ...}, mismatches: [...]}``. It imports nothing of plait: graphql-core need not be installed beside it.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

graphql: Any = importlib.import_module("graphql") if importlib.util.find_spec("graphql") else None
MOST = 100
NOT_ABOUT_THE_SCHEMA = {
    "NoUnusedFragmentsRule", "KnownFragmentNamesRule", "NoUnusedVariablesRule", "UniqueOperationNamesRule",
    "LoneAnonymousOperationRule", "UniqueFragmentNamesRule", "KnownDirectivesRule",
}  # fmt: skip
"""Rules that some of a client's files break without the others, or that its own directives break."""
RULES = {"FieldsOnCorrectTypeRule": "contracts/field", "KnownTypeNamesRule": "contracts/field"}


class Reader:
    """All GraphQL files of the tree.

    Attributes:
        reads: What was read of each file, by its key.
        mismatches: What consumers' files say that no provider's schema has.
    """

    def __init__(self, files: list[dict[str, Any]]) -> None:
        self.files = files
        self.reads: dict[str, Any] = {}
        self.mismatches: list[dict[str, Any]] = []
        self.documents: dict[str, Any] = {}
        self.providers: list[str] = []

    def run(self) -> None:
        """Read everything and compare."""
        for one in self.files:
            source = graphql.Source(one["text"], one["path"])
            try:
                self.documents[one["key"]] = graphql.parse(source, max_tokens=200_000)
            except graphql.GraphQLError as error:
                self.reads[one["key"]] = {"unread": _located(error, one["path"])[0]}
        for one in self._sided("assumes"):
            providers = [other for other in self._sided("provides") if other["track"] != one["track"]]
            schema = self.schema(providers)
            if isinstance(schema, str):
                self.reads[one["key"]] = {"unread": schema}
                continue
            self.reads[one["key"]] = {"operations": [], "schemas": {}}
            self.providers = [other["key"] for other in providers]
            self._compare(one, schema)
        for track in dict.fromkeys(one["track"] for one in self._sided("provides")):
            own = [one for one in self._sided("provides") if one["track"] == track]
            schema = self.schema(own)
            for one in own:
                self.reads[one["key"]] = (
                    {"unread": schema}
                    if isinstance(schema, str)
                    else {"operations": _operations(schema), "schemas": {}}
                )

    def _sided(self, side: str) -> list[dict[str, Any]]:
        return [one for one in self.files if one["side"] == side and one["key"] in self.documents]

    def schema(self, providers: list[dict[str, Any]]) -> Any:
        """Return the schema that some files make together, or why there is none."""
        if not providers:
            return "no other track hands in a GraphQL schema under provides, so there is nothing to compare it with"
        try:
            whole = graphql.concat_ast([self.documents[one["key"]] for one in providers])
            schema = graphql.build_ast_schema(whole)
            wrong = [one for one in graphql.validate_schema(schema) if "Query root type" not in one.message]
        except (TypeError, graphql.GraphQLError) as error:
            return f"{', '.join(one['path'] for one in providers)}: {' '.join(str(error).split())[:300]}"
        if wrong:
            return f"{', '.join(one['path'] for one in providers)}: {wrong[0].message[:300]}"
        schema._validation_errors = []  # noqa: SLF001 - a schema without queries can be asked for its types all the same
        return schema

    def _compare(self, file: dict[str, Any], schema: Any) -> None:
        document = self.documents[file["key"]]
        told = [one for one in document.definitions if isinstance(one, graphql.ExecutableDefinitionNode)]
        if told:
            mine = [one for one in self._sided("assumes") if one["track"] == file["track"] and one is not file]
            others = [
                one
                for other in mine
                for one in self.documents[other["key"]].definitions
                if isinstance(one, graphql.FragmentDefinitionNode)
            ]
            whole = graphql.DocumentNode(definitions=(*told, *others))
            for rule in graphql.specified_rules:
                if rule.__name__ in NOT_ABOUT_THE_SCHEMA:
                    continue
                for error in graphql.validate(schema, whole, [rule], max_errors=MOST):
                    message, line, name = _located(error, file["path"])
                    if name == file["path"]:
                        self.found(file, RULES.get(rule.__name__, "contracts/type"), line, message)
        for node in document.definitions:
            if isinstance(node, graphql.TypeDefinitionNode | graphql.TypeExtensionNode):
                self._type(file, schema, node)

    def found(self, file: dict[str, Any], rule: str, line: int, message: str) -> None:
        """Keep a mismatch."""
        if len(self.mismatches) < MOST * 10:
            quote = (file["text"].splitlines() or [""])[max(0, line - 1)].strip()[:200]
            self.mismatches.append(
                {"key": file["key"], "rule": rule, "message": message, "quote": quote, "providers": self.providers}
            )

    def _type(self, file: dict[str, Any], schema: Any, node: Any) -> None:
        """Hold a type of the consumer's own schema against the provider's of that name."""
        name, line = node.name.value, node.loc.start_token.line
        other = schema.get_type(name)
        at = f"{file['path']} line {line}"
        if other is None:
            return self.found(file, "contracts/field", line, f"{at}: the provider's schema has no type {name}")
        kind, theirs = _kind(node), _kind(other.ast_node) if other.ast_node else "scalar"
        if kind != theirs:
            return self.found(file, "contracts/type", line, f"{at}: {name} is of kind {kind}, the provider's {theirs}")
        if kind == "enum":
            for value in node.values or ():
                if value.name.value not in other.values:
                    where = value.loc.start_token.line
                    said = f"{file['path']} line {where}: the provider's enum {name} has no value {value.name.value}"
                    self.found(file, "contracts/type", where, said)
        elif kind == "union":
            members = {one.name for one in other.types}
            for one in node.types or ():
                if one.name.value not in members:
                    said = f"{at}: {one.name.value} is not in the provider's union {name}"
                    self.found(file, "contracts/type", line, said)
        elif kind in {"object", "interface", "input_object"}:
            self._fields(file, name, node, other, sent=kind == "input_object")
        return None

    def _fields(self, file: dict[str, Any], name: str, node: Any, other: Any, *, sent: bool) -> None:
        for field in node.fields or ():
            line, member = field.loc.start_token.line, f"{name}.{field.name.value}"
            at = f"{file['path']} line {line}"
            theirs = other.fields.get(field.name.value)
            if theirs is None:
                self.found(file, "contracts/field", line, f"{at}: the provider's schema has no {member}")
                continue
            mine, given = _written(field.type), str(theirs.type)
            if not (_fits(mine, given) if sent else _fits(given, mine)):
                self.found(file, "contracts/type", line, f"{at}: {member} is {mine} there, and {given} at the provider")
            if not sent:
                self._arguments(file, member, field, theirs)
        if sent:
            self._needed(
                file, name, node.loc.start_token.line, {one.name.value for one in node.fields or ()}, other.fields
            )

    def _arguments(self, file: dict[str, Any], member: str, field: Any, theirs: Any) -> None:
        line = field.loc.start_token.line
        at = f"{file['path']} line {line}"
        for argument in field.arguments or ():
            known = theirs.args.get(argument.name.value)
            if known is None:
                self.found(file, "contracts/field", line, f"{at}: {member} takes no argument {argument.name.value}")
            elif not _fits(_written(argument.type), str(known.type)):
                both = f"{_written(argument.type)} there, and {known.type} at the provider"
                said = f"{at}: the argument {argument.name.value} of {member} is {both}"
                self.found(file, "contracts/type", line, said)
        self._needed(file, member, line, {one.name.value for one in field.arguments or ()}, theirs.args)

    def _needed(self, file: dict[str, Any], name: str, line: int, given: set[str], theirs: Any) -> None:
        for one, value in theirs.items():
            needed = graphql.is_non_null_type(value.type) and value.default_value is graphql.Undefined
            if needed and one not in given:
                said = f"{file['path']} line {line}: the provider requires {one} of {name}"
                self.found(file, "contracts/field", line, said)


def _kind(node: Any) -> str:
    return node.kind.removesuffix("_definition").removesuffix("_extension").removesuffix("_type")


def _written(node: Any) -> str:
    import graphql  # noqa: PLC0415

    return graphql.print_ast(node)


def _fits(given: str, wanted: str) -> bool:
    """Tell whether a value of one written type may stand where another is expected: it may be stricter about null."""
    if given.endswith("!"):
        return _fits(given[:-1], wanted.removesuffix("!"))
    if wanted.endswith("!"):
        return False
    if given.startswith("[") and wanted.startswith("["):
        return _fits(given[1:-1], wanted[1:-1])
    return given == wanted


def _operations(schema: Any) -> list[dict[str, str]]:
    roots = {"Query": schema.query_type, "Mutation": schema.mutation_type, "Subscription": schema.subscription_type}
    return [{"operation": f"{kind}.{name}"} for kind, root in roots.items() if root for name in root.fields]


def _located(error: Any, path: str) -> tuple[str, int, str]:
    """Return an error's sentence with its place, its line, and the file it is about."""
    line = error.locations[0].line if error.locations else 1
    source = error.source or next((node.loc.source for node in error.nodes or () if node.loc), None)
    name = source.name if source else path
    return f"{name} line {line}: {error.message[:300]}", line, name


def main() -> None:
    """Read the job and print what was read."""
    reader = Reader(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["files"])
    if graphql is None:
        why = f"graphql-core is not installed for {Path(sys.executable).name}: pip install graphql-core"
        reader.reads = {one["key"]: {"unread": why} for one in reader.files}
    else:
        reader.run()
    json.dump({"reads": reader.reads, "mismatches": reader.mismatches}, sys.stdout)


if __name__ == "__main__":
    main()
