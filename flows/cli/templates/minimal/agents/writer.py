"""An agent in a few lines: write the track's scope to a file of its name, and say so in the context."""

import json
import os
from pathlib import Path

assignment = json.loads(Path(os.environ["PLAIT_ASSIGNMENT"]).read_text(encoding="utf-8"))
greeting = Path(f"{assignment['task_id']}.txt")
greeting.write_text(assignment["scope"] + "\n", encoding="utf-8")

context = {
    "summary": f"Wrote {greeting}.",
    "decisions": [f"Keep the {assignment['task_id']} greeting in a file of its own"],
    "pending_actions": ["Have a native speaker read the greetings"],
}
Path(os.environ["PLAIT_CONTEXT"]).write_text(json.dumps(context), encoding="utf-8")
