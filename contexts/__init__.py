"""What is remembered: documents, merge, audit, plan and stores.

Imports neither tasks nor flows; Prefect only in `contexts.store.blocks`, boto3 only in `contexts.store.s3`.
"""
