"""What is done: one Prefect task module per phase, and beneath them agents, checks and the walls they run behind."""
