"""Git that runs no planted code: the workflow's repository, the user's, and what leaves a workspace.

Imports contexts alone.
"""
