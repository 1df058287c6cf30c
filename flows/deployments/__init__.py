"""What is different when a flow runs from a Prefect deployment: how it gets there, who may ask for what, its process.

Imports tasks and contexts, no phase.
"""
