"""Every store keeps every law."""

from __future__ import annotations

import pytest

from tests.contexts.conformance import LAWS, Law
from tests.contexts.stores.conftest import Storage


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name.replace(" ", "-"))
def test_the_store_keeps_the_law(storage: Storage, law: Law, rounds: int) -> None:
    law.check(storage(), rounds)
