"""One module for each command of plait, named as it is typed (`import_` for `import`).

A command imports what it needs when it is called, so that others start fast: the command line's rooms, flows, tasks and
contexts, and no other command.
"""
