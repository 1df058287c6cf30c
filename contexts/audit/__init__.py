"""Deterministic rules over context documents: what is wrong, found without running anything."""
