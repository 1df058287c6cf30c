"""Looking into JSON whose shape is not known: members, pointers.

Imports nothing of plait.
"""
