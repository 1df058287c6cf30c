from __future__ import annotations

import os

from hypothesis import settings

# The same examples every time where a failure must be repeatable; elsewhere new ones are worth having.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=25, database=None)
settings.register_profile("local", deadline=None, max_examples=25)
settings.load_profile("ci" if os.environ.get("CI") else "local")
