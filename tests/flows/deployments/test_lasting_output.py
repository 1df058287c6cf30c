"""A process whose reader goes away goes on, whoever writes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.usefixtures("outside")

PROGRAM = """
import logging, os, subprocess, sys
from flows.deployments.lasting_output import outlive_readers
outlive_readers()
print("first", flush=True)
print("err", file=sys.stderr, flush=True)
sys.stdin.readline()
from rich.console import Console
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
for _ in range(3):
    print("print", flush=True)
    Console().print("rich")
    Console(stderr=True).print("rich")
    logging.info("logging")
    os.write(1, b"descriptor")
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
print("last")
open(sys.argv[1], "w").write("done")
"""


def test_no_write_to_a_broken_pipe_ends_a_process_or_its_children(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", PROGRAM, str(tmp_path / "done")]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert (process.stdout.readline(), process.stderr.readline()) == ("first\n", "err\n")
        process.stdout.close()
        process.stderr.close()
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait() == 0
    assert (tmp_path / "done").read_text(encoding="utf-8") == "done"


def test_where_somebody_reads_every_line_arrives_and_the_last_one_too(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", PROGRAM, str(tmp_path / "done")]
    done = subprocess.run(argv, cwd=ROOT, input="\n", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "last"
    assert done.stdout.count("child") == 3
    assert done.stderr.count("rich") == 3
