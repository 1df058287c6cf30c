"""Coverage reports of the usual tools, told apart by their content, as the same figures.

Imports what `tasks.checks` may.
"""

from __future__ import annotations
