"""What is remembered: documents, merge, audit, plan and stores. Pure Python; Prefect only in `contexts.blocks`."""
