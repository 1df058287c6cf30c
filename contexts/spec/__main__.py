"""Print the spec reference: ``python -m contexts.spec > docs/reference/spec.md``; `make docs` does it."""

from __future__ import annotations

import sys

from contexts.spec.reference_page import spec_reference

if __name__ == "__main__":
    sys.stdout.write(spec_reference())
