"""One module for each command of plait, named as it is typed.

A command imports what it needs when it is called, so that others start fast.
"""
