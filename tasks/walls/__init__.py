"""The walls around untrusted programs: supervisor, environment, git that runs no planted code, workspaces."""
