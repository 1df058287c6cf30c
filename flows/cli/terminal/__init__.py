"""How a run and its outcome look on a terminal, and what a terminal may do to a run.

Imports flows, tasks and contexts; of the command line nothing but itself.
"""
