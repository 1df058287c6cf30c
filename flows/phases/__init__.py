"""The phases of the feature flow, composed of tasks; and how a run is opened, and ended from outside.

Imports deployments, tasks and contexts.
"""
