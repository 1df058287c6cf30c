"""Run the example from nothing: prepare a repository in a new folder, build the feature in it, say where to look.

    python demo.py [DIR]

Without DIR a folder below the system's temporary files is made. The store and the workspaces lie inside it, so that the
demonstration leaves nothing elsewhere.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Prepare, run, and return the exit code of the run."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="plait-demo-")) / "demo"
    prepared = subprocess.run([sys.executable, HERE / "prepare.py", folder], check=False, stdout=subprocess.DEVNULL)
    if prepared.returncode:
        return prepared.returncode
    plait = shutil.which("plait", path=str(Path(sys.executable).parent)) or "plait"
    environment = {**os.environ, "PLAIT_STORE": str(folder / "store"), "PLAIT_WORKSPACES": str(folder / "workspaces")}
    print(f"Prepared {folder}; all of this is in there: remove it when you have seen it.")
    print(f"\n$ cd {folder} && plait run spec.yaml\n", flush=True)
    done = subprocess.run([plait, "run", "spec.yaml"], cwd=folder, env=environment, check=False)
    print(f"\nThe feature is branch plait/user-profile of {folder / 'app'}; the contexts are in {folder / 'store'}.")
    print(f"Look at them with: {plait} show user-profile --store {folder / 'store'}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
