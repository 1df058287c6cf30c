"""What a run shows in the Prefect UI: its artifacts, tags, events and tables.

Imports the run and the report's text.
"""
