"""A program of its own: imports a module of the tree and prints the JSON Schemas of its types.

Usage: ``python -I pydantic_reader.py JOB.json``; JOB is ``{tree, path, validation, serialization}``. Prints
``{schemas, requests, answers}`` or ``{unread}``. It runs in the sandbox on the project's own interpreter, so it imports
nothing of plait.
"""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any, cast

SAID = 300


def _load(tree: Path, path: str) -> Any:
    file = tree / path
    root = file.parent
    while root != tree and (root / "__init__.py").is_file():
        root = root.parent
    sources = [folder for folder in file.parents if folder.name == "src" and folder.is_relative_to(tree)]
    if root == file.parent and not (root / "__init__.py").is_file():
        root = sources[0] if sources else tree
    sys.path[:0] = [str(folder) for folder in dict.fromkeys([root, *sources, tree])]
    parts = file.relative_to(root).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
    if all(part.isidentifier() for part in parts):
        return importlib.import_module(".".join(parts))
    found = importlib.util.spec_from_file_location("contract_file", file)
    if found is None or found.loader is None:
        raise ImportError(f"{path} is no module")
    module = importlib.util.module_from_spec(found)
    sys.modules["contract_file"] = module
    found.loader.exec_module(module)
    return module


def _models(pydantic: Any, module: Any) -> list[str]:
    """Return the names of the models that a module defines itself."""
    members = cast("dict[str, Any]", vars(module))
    return [
        name
        for name, value in members.items()
        if isinstance(value, type) and issubclass(value, pydantic.BaseModel) and value.__module__ == module.__name__
    ]


def _read(job: Any) -> Any:
    try:
        import pydantic  # noqa: PLC0415 - the project's own
        from pydantic import TypeAdapter  # noqa: PLC0415 - version 2 has it
    except ImportError:
        return {"unread": f"pydantic 2 is not installed for {Path(sys.executable).name}: pip install pydantic"}
    module = _load(Path(job["tree"]).resolve(), job["path"])
    everything = [] if job["validation"] or job["serialization"] else _models(pydantic, module)
    wanted: list[tuple[str, str]] = [(name, "validation") for name in [*job["validation"], *everything]]
    wanted += [(name, "serialization") for name in [*job["serialization"], *everything]]
    there = [(name, mode) for name, mode in wanted if hasattr(module, name)]
    adapters: dict[str, Any] = {name: TypeAdapter(getattr(module, name)) for name, _ in there}
    given = cast("Any", [((name, mode), mode, adapters[name]) for name, mode in there])
    made, whole = TypeAdapter.json_schemas(given, ref_template="#/schemas/{model}")
    schemas: dict[str, Any] = dict(whole.get("$defs") or {})
    kept: dict[str, dict[str, str]] = {"validation": {}, "serialization": {}}
    for (name, mode), _ in made:
        schema = cast("Any", made)[((name, mode), mode)]
        lies = str(schema.get("$ref", "")).removeprefix("#/schemas/") if set(schema) == {"$ref"} else ""
        if not lies:
            lies = name if name not in schemas else f"{name}-{mode}"
            schemas[lies] = schema
        kept[mode][name] = lies
    return {"schemas": schemas, "requests": kept["validation"], "answers": kept["serialization"]}


def main() -> None:
    """Read the job and print what was read; what the module itself prints goes to the messages."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        told = _read(job)
    except BaseException as error:  # noqa: BLE001 - whatever the module raises, also SystemExit
        last = (str(error).strip().splitlines() or [""])[-1][:SAID]
        told = {"unread": f"importing it ended with {type(error).__name__}" + (f": {last}" if last else "")}
    json.dump(told, answers)
    answers.close()
    os._exit(0)  # threads and exit handlers of the module are not waited for


if __name__ == "__main__":
    main()
