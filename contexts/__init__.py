"""What is remembered: documents, merge, audit, plan and stores.

Pure Python; Prefect only in `contexts.store.blocks`, boto3 only in `contexts.store.s3`.
"""
