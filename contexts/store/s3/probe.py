"""Judge whether a service honours the two preconditions everything rests on.

Some S3-compatible services accept ``If-None-Match`` and ``If-Match`` and ignore them: two runs would then overwrite
each other without either noticing. The probe object stays where it is, so that later probes cost two requests and
need no permission to delete.
"""

from __future__ import annotations

from collections.abc import Callable

from contexts.errors import StoreUnsuitable
from contexts.store.keys import PROBES

PROBE_KEY = f"{PROBES}preconditions"
_NO_SUCH_ETAG = '"00000000000000000000000000000000"'


def verdict(put: Callable[[dict[str, str]], bool], where: str) -> None:
    """Refuse a service that lets a put through whose precondition does not hold.

    Args:
        put: Puts the probe object under a condition; says whether the service let it through.
        where: Bucket and service, for the sentence.

    Raises:
        StoreUnsuitable: Names the precondition that was ignored.
    """
    if put({"IfNoneMatch": "*"}) and put({"IfNoneMatch": "*"}):
        raise StoreUnsuitable(
            f"{where} ignores If-None-Match: two runs could overwrite each other's documents there. "
            "Use AWS S3, Cloudflare R2, MinIO or another service that honours it",
            ignored="If-None-Match",
        )
    if put({"IfMatch": _NO_SUCH_ETAG}):
        raise StoreUnsuitable(
            f"{where} ignores If-Match: two runs could own one workflow at once there. "
            "Use AWS S3, Cloudflare R2, MinIO or another service that honours it",
            ignored="If-Match",
        )
