"""Coverage reports of the usual tools, told apart by their content, as the same figures."""

from __future__ import annotations
