"""The merge: many track documents become one, and nothing is lost.

The state of a merge is a map from task_id to `Contribution`, in which the highest revision wins. The union of such maps
is associative, commutative and idempotent, so groups may be merged in any order and nesting; every list of the merged
document is derived from the whole map at the end, in spec order.

Imports the store, documents and what is below them; neither audit, metrics nor verification.
"""

from contexts.merge.assemble import assemble
from contexts.merge.contribution import (
    Contribution,
    Contributions,
    contribute,
    dump_contributions,
    load_contributions,
    union,
)
from contexts.merge.derive import Derived, derive
from contexts.merge.expand import expand_tracks
from contexts.merge.files import MergedFiles, merge_files, read_loose

__all__ = [
    "Contribution",
    "Contributions",
    "Derived",
    "MergedFiles",
    "assemble",
    "contribute",
    "derive",
    "dump_contributions",
    "expand_tracks",
    "load_contributions",
    "merge_files",
    "read_loose",
    "union",
]
