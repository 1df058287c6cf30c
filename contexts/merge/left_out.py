"""Marks of decisions in a merged document whose tracks' branches are not in the merged tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contexts.json.pointer import pointer


def left_out_decisions(
    provenance: Mapping[str, Sequence[Sequence[str]]], tracks: Sequence[str]
) -> dict[str, list[str]]:
    """Return, for each track whose branch was left out, the pointers of its decisions in the merged document.

    Args:
        provenance: For every merged list, per item, its sources as ``task_id#/pointer``.
        tracks: The tracks whose branches were left out.
    """
    marked: dict[str, list[str]] = {task_id: [] for task_id in tracks}
    for index, sources in enumerate(provenance.get("decisions", ())):
        for task_id in {one.partition("#")[0] for one in sources} & marked.keys():
            marked[task_id].append(pointer("decisions", index))
    return marked
