"""Contracts typed at the source: the files of tracks that describe interfaces, each read by its language's tool.

OpenAPI and JSON Schema are read in this process, everything else by programs in the sandbox (the modules whose names
end in ``_reader``). Imports what `tasks.checks` may.
"""
