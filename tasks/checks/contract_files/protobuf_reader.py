"""A program of its own: compiles one .proto file of the tree with protoc and prints what its descriptors say.

Usage: ``python -I protobuf_reader.py JOB.json``; JOB is ``{tree, path, out}``, ``out`` a file that may be written.
Prints ``{messages, enums, services}`` or ``{unread}``. It imports nothing of plait: protobuf need not lie beside it.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SAID = 400


class NotRead(Exception):
    """Why a file was not read."""


def _compiler() -> list[str]:
    if found := shutil.which("protoc"):
        return [found]
    try:
        import grpc_tools  # noqa: PLC0415
    except ImportError:
        why = (
            f"there is no protoc on PATH and no grpcio-tools for {Path(sys.executable).name}: pip install grpcio-tools"
        )
        raise NotRead(why) from None
    known = Path(str(grpc_tools.__file__)).parent / "_proto"
    return [sys.executable, "-I", "-m", "grpc_tools.protoc", f"-I{known}"]


def _descriptors(tree: Path, path: str, out: Path) -> tuple[Any, str]:
    """Return the descriptors of a file and its imports, and its name among them."""
    try:
        from google.protobuf import descriptor_pb2  # noqa: PLC0415
    except ImportError:
        raise NotRead(f"protobuf is not installed for {Path(sys.executable).name}: pip install protobuf") from None
    compiler = _compiler()
    said = ""
    # Imports are written from some root: the first folder from the tree's own down under which all are found.
    for root in [folder for folder in reversed((tree / path).parents) if folder.is_relative_to(tree)]:
        name = (tree / path).relative_to(root).as_posix()
        argv = [
            *compiler,
            f"-I{root}",
            f"--descriptor_set_out={out}",
            "--include_imports",
            "--include_source_info",
            name,
        ]
        done = subprocess.run(argv, cwd=root, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode == 0:
            return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()), name
        said = said or (done.stderr.strip().splitlines() or ["protoc failed"])[-1]
    raise NotRead(said[:SAID])


class Told:
    """What descriptors say, as JSON.

    Attributes:
        messages: By full name the fields by number.
        enums: By full name the values by number.
        services: By ``package.Service/Method`` what is sent and answered.
    """

    def __init__(self) -> None:
        self.messages: dict[str, Any] = {}
        self.enums: dict[str, dict[str, str]] = {}
        self.services: dict[str, Any] = {}

    def file(self, one: Any, *, named: bool) -> None:
        """Take over a file; services only of the one that was named."""
        prefix = f"{one.package}." if one.package else ""
        lines = {tuple(place.path): place.span[0] + 1 for place in one.source_code_info.location} if named else {}
        for index, message in enumerate(one.message_type):
            self.message(message, prefix, (4, index), lines)
        for enum in one.enum_type:
            self.enum(enum, prefix)
        for service in one.service if named else ():
            for method in service.method:
                self.services[f"{prefix}{service.name}/{method.name}"] = {
                    "sent": method.input_type[1:], "answered": method.output_type[1:],
                    "streams": [method.client_streaming, method.server_streaming],
                }  # fmt: skip

    def enum(self, one: Any, prefix: str) -> None:
        """Take over an enum; of two names of one number the first."""
        values: dict[str, str] = {}
        for value in one.value:
            values.setdefault(str(value.number), value.name)
        self.enums[prefix + one.name] = values

    def message(self, one: Any, prefix: str, path: tuple[int, ...], lines: Any) -> None:
        """Take over a message and what lies in it."""
        full = prefix + one.name
        maps = {f".{full}.{inner.name}": inner for inner in one.nested_type if inner.options.map_entry}
        fields: dict[str, Any] = {}
        for index, field in enumerate(one.field):
            entry = maps.get(field.type_name)
            kind = f"map<{_kind(entry.field[0])}, {_kind(entry.field[1])}>" if entry else _kind(field)
            fields[str(field.number)] = {
                "name": field.name, "key": field.json_name, "type": kind, "line": lines.get((*path, 2, index)),
                "repeated": field.label == field.LABEL_REPEATED and not entry,
                "required": field.label == field.LABEL_REQUIRED,
            }  # fmt: skip
        self.messages[full] = {"fields": fields, "line": lines.get(path)}
        for index, inner in enumerate(one.nested_type):
            if not inner.options.map_entry:
                self.message(inner, f"{full}.", (*path, 3, index), lines)
        for inner in one.enum_type:
            self.enum(inner, f"{full}.")


def _kind(field: Any) -> str:
    if field.type_name:
        return field.type_name[1:]
    return field.Type.Name(field.type).removeprefix("TYPE_").lower()


def main() -> None:
    """Read the job and print what was read."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        found, name = _descriptors(Path(job["tree"]).resolve(), job["path"], Path(job["out"]))
    except NotRead as error:
        json.dump({"unread": str(error)}, sys.stdout)
        return
    told = Told()
    for one in found.file:
        if not one.name.startswith("google/"):
            told.file(one, named=one.name == name)
    json.dump({"messages": told.messages, "enums": told.enums, "services": told.services}, sys.stdout)


if __name__ == "__main__":
    main()
