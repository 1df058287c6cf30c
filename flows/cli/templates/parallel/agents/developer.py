"""A scripted agent: it writes the prepared files of its track. Put your own agent's command in its place."""

import json
import os
from pathlib import Path

FILES = {
    "library": {
        "words.py": 'def count(text):\n    """Return the number of words."""\n    return len(text.split())\n',
    },
    "command": {
        "count.py": (
            "import sys\nfrom pathlib import Path\n\nimport words\n\n"
            'if __name__ == "__main__":\n    print(words.count(Path(sys.argv[1]).read_text()))\n'
        ),
    },
    "tests": {
        "tests/test_words.py": (
            "import subprocess\nimport sys\nimport unittest\nfrom pathlib import Path\n\n"
            "ROOT = Path(__file__).parent.parent\nsys.path.insert(0, str(ROOT))\n\nimport words\n\n\n"
            "class Words(unittest.TestCase):\n"
            "    def test_it_counts(self):\n"
            '        self.assertEqual(words.count("one two  three"), 3)\n\n'
            "    def test_the_command_prints_the_count(self):\n"
            "        command = [sys.executable, str(ROOT / 'count.py'), str(Path(__file__))]\n"
            "        printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout\n"
            "        self.assertEqual(int(printed), words.count(Path(__file__).read_text()))\n\n\n"
            'if __name__ == "__main__":\n    unittest.main()\n'
        ),
    },
}

assignment = json.loads(Path(os.environ["PLAIT_ASSIGNMENT"]).read_text(encoding="utf-8"))
for name, text in FILES[assignment["task_id"]].items():
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path}", flush=True)

context = {
    "summary": f"Did: {assignment['scope']}.",
    "decisions": [{"topic": f"{assignment['task_id']} files", "choice": ", ".join(FILES[assignment["task_id"]])}],
}
Path(os.environ["PLAIT_CONTEXT"]).write_text(json.dumps(context), encoding="utf-8")
