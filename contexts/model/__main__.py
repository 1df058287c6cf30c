"""Print the spec reference: ``python -m contexts.model > docs/spec.md``; `make docs` does it."""

from __future__ import annotations

import sys

from contexts.model.reference import spec_reference

if __name__ == "__main__":
    sys.stdout.write(spec_reference())
