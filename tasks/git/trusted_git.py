"""Run git so that nothing an agent planted can run with it.

Every command names its git dir (and work tree) explicitly, reads no system or global configuration, and overrides what
could start a
program: hooks, the file-system monitor, external transports. Filters, drivers and text converters need configuration to
be programs, and the configuration of plait's own git dir is checked before every command to be what plait wrote.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from contexts.errors import RepositoryError
from contexts.full_disk import full, says_full
from contexts.redaction import head_of

NAME, EMAIL = "plait", "plait@plait.invalid"
TIMEOUT = 900.0

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.autocrlf": "false",
    "core.quotePath": "false",
    "core.symlinks": "true",
    "core.pager": "cat",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "pack.threads": "1",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "diff.ignoreSubmodules": "all",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "advice.detachedHead": "false",
    "init.defaultBranch": "main",
}
# A user's own repository and transports keep what the user set up: ignores, line ends, credentials, signed transports.
_USERS_OWN = {"core.attributesFile", "core.excludesFile", "core.autocrlf", "core.symlinks"}
_PASSED = (
    "PATH",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
)

EMPTY_TREES = frozenset(
    {"4b825dc642cb6eb9a060e54bf8d69288fbee4904", "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"}
)
"""Ids of the tree that holds nothing, with sha1 and with sha256."""


class TrustedGit:
    """Git on one git dir, for the orchestrator only.

    Args:
        git_dir: The git dir, never a workspace's.
        users_own: It is the user's repository: the user's own configuration holds, and is not checked.
    """

    def __init__(self, git_dir: Path, *, users_own: bool = False) -> None:
        self.git_dir = git_dir
        self._users_own = users_own
        self._trees: dict[str, str] = {}

    def room(self) -> Path:
        """Return the folder beside the objects for plait's own notes and indexes.

        Raises:
            RepositoryError: The git dir is gone, as an agent that removes its parents can make it.
        """
        folder = self.git_dir / "plait"
        try:
            folder.mkdir(exist_ok=True)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RepositoryError(f"{self.git_dir} is gone; run the workflow again to make it anew") from error
        return folder

    def run(
        self,
        *args: str,
        work_tree: Path | None = None,
        index: Path | None = None,
        stdin: bytes | None = None,
        check: bool = True,
        when: datetime | None = None,
        as_user: bool = False,
    ) -> bytes:
        """Run one git command and return its stdout.

        Args:
            *args: The command and its arguments.
            work_tree: Work tree to name; the command also starts there, never in the caller's folder.
            index: Index file to use instead of the git dir's.
            stdin: What the command reads.
            check: Raise where it fails; otherwise its output counts whatever the status.
            when: Author and committer date of commits it makes.
            as_user: Read the user's global configuration too: for transports, which need the user's credentials.

        Raises:
            RepositoryError: It failed; the sentence holds git's own last line.
        """
        done = self.call(*args, work_tree=work_tree, index=index, stdin=stdin, when=when, as_user=as_user)
        if check and done.returncode:
            if not self._users_own and args[:1] != ("init",) and not self.is_whole():
                raise RepositoryError(f"{self.git_dir} was damaged; run the workflow again, which makes it anew")
            raise failure(args, done.stderr)
        return done.stdout

    def is_whole(self) -> bool:
        """Say whether git takes the git dir for one; an agent may have been at it."""
        return self.call("rev-parse", "--git-dir").returncode == 0

    def is_damaged(self) -> bool:
        """Say whether objects are missing behind what is referred to: a slow look at all of them."""
        return self.call("fsck", "--connectivity-only", "--no-dangling", "--no-progress").returncode != 0

    def call(
        self,
        *args: str,
        work_tree: Path | None = None,
        index: Path | None = None,
        stdin: bytes | None = None,
        when: datetime | None = None,
        as_user: bool = False,
        stdout: IO[bytes] | int = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one git command and return its status and output, whatever they are.

        Raises:
            RepositoryError: Git is not there, took too long, or the git dir is not as plait left it.
            StoreError: The disk it writes to is full.
        """
        if not self._users_own and args[:1] != ("init",):
            check_untouched(self.git_dir)
        as_user = as_user or self._users_own
        options = [f"--git-dir={self.git_dir}"]
        if work_tree is not None:
            options.append(f"--work-tree={work_tree}")
        if not self.git_dir.parent.is_dir():
            raise RepositoryError(f"there is no git folder {self.git_dir}; run the workflow again to make it anew")
        return _git(
            [*options, *_settings(as_user=as_user), *args],
            cwd=work_tree or (self.git_dir if self.git_dir.is_dir() else self.git_dir.parent),
            env=_environment(index, when, as_user=as_user),
            stdin=stdin or b"",
            stdout=stdout,
        )

    def text(self, *args: str, as_user: bool = False) -> str:
        """Run one git command and return its stdout as stripped text."""
        return os.fsdecode(self.run(*args, as_user=as_user)).strip()

    def tree_of(self, commit: str) -> str:
        """Return the full id of a commit's tree; of a full id git is asked once, as neither ever changes.

        Raises:
            RepositoryError: There is no such commit.
        """
        known = self._trees.get(commit)
        if known is None:
            known = self.text("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")
            if len(commit) == len(known):
                self._trees[commit] = known
        return known

    def commit_of(self, name: str) -> str | None:
        """Return the full id of the commit a name stands for, None where it stands for none."""
        if name in self._trees:
            return name
        done = self.call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return done.stdout.decode().strip() or None if done.returncode == 0 else None


def list_remote(url: str) -> str:
    """Return what ``git ls-remote`` says of a URL, with the user's credentials and outside of any repository.

    Raises:
        RepositoryError: It cannot be read.
    """
    done = _git(
        [*_settings(as_user=True), "ls-remote", "--", url],
        cwd=Path("/"),
        env={**_environment(None, None, as_user=True), "GIT_CEILING_DIRECTORIES": "/"},
        stdin=b"",
        stdout=subprocess.PIPE,
    )
    if done.returncode:
        said = head_of(" ".join(_without_password(done.stderr.decode("utf-8", "replace")).split()), 300)
        raise RepositoryError(
            f"the repository {_without_password(url)} cannot be read ({said}); check repository.path, or name one with "
            "--repository",
            path=_without_password(url),
        )
    return os.fsdecode(done.stdout)


def _settings(*, as_user: bool) -> list[str]:
    settings = [f"{name}={value}" for name, value in _SETTINGS.items() if not (as_user and name in _USERS_OWN)]
    return [word for setting in settings for word in ("-c", setting)]


def _git(
    words: list[str], *, cwd: Path, env: Mapping[str, str], stdin: bytes, stdout: IO[bytes] | int
) -> subprocess.CompletedProcess[bytes]:
    try:
        done = subprocess.run(
            ["git", "--no-pager", "--no-replace-objects", *words],
            cwd=cwd,
            env=env,
            input=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            check=False,
            timeout=TIMEOUT,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        if not cwd.is_dir():
            raise RepositoryError(f"the folder {cwd} is gone; run the workflow again to make it anew") from error
        raise RepositoryError("git is not installed, or not on the PATH; install git 2.38 or newer") from error
    except PermissionError as error:
        raise RepositoryError(f"git cannot be started in {cwd} ({error.strerror}); check its permissions") from error
    except subprocess.TimeoutExpired as error:
        raise RepositoryError(f"git took longer than {TIMEOUT:.0f} s and was stopped; try again") from error
    said = done.stderr.decode("utf-8", "replace") if done.returncode else ""
    if says_full(said):
        named = (Path(word.partition("=")[2]) for word in words if word.startswith(("--git-dir=", "--work-tree=")))
        raise full([*named, cwd, Path(tempfile.gettempdir())], f"git said: {_last_line(said)}")
    return done


def failure(args: tuple[str, ...], stderr: bytes) -> RepositoryError:
    """Return the error for a failed git command, with git's own last line in it."""
    said = _last_line(stderr.decode("utf-8", "replace"))
    return RepositoryError(f"git {args[0]} failed: {said}{_advice(said)}")


def _last_line(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines or ["it gave no reason"]
    return _without_password(telling[-1].removeprefix("fatal: ").removeprefix("error: "))


def _advice(said: str) -> str:
    if "dubious ownership" in said:
        return "; it belongs to another user: run plait as that user, or allow it with git config safe.directory"
    if ".lock" in said:
        return "; another git may be at work there: wait for it, or remove the stale lock file, and run again"
    return "; see git's message, put it right and run again"


def _without_password(text: str) -> str:
    scheme, mark, rest = text.partition("://")
    user, at, host = rest.partition("@")
    return f"{scheme}{mark}{host}" if mark and at and "/" not in user else text


def _environment(index: Path | None, when: datetime | None, *, as_user: bool) -> Mapping[str, str]:
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": "/dev/null",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        "GIT_EDITOR": "true",
        "GIT_AUTHOR_NAME": NAME,
        "GIT_AUTHOR_EMAIL": EMAIL,
        "GIT_COMMITTER_NAME": NAME,
        "GIT_COMMITTER_EMAIL": EMAIL,
    }
    if as_user:
        environment |= {name: os.environ[name] for name in ("HOME", "XDG_CONFIG_HOME") if name in os.environ}
    else:
        environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "HOME": "/nonexistent"}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    if when is not None:
        date = f"{int(when.astimezone(UTC).timestamp())} +0000"
        environment |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    return environment


def create_git_dir(git_dir: Path, *, bare: bool, object_format: str = "sha1") -> TrustedGit:
    """Make an empty git dir without templates, whose configuration is one known text."""
    git_dir.parent.mkdir(parents=True, exist_ok=True)
    git = TrustedGit(git_dir)
    git_dir.mkdir()
    git.run("init", "--quiet", "--template=", "--bare", f"--object-format={object_format}")
    (git_dir / "config").write_bytes(_config(object_format, bare=bare))
    return git


def _config(object_format: str, *, bare: bool) -> bytes:
    version = 0 if object_format == "sha1" else 1
    text = f"[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = {str(bare).lower()}\n"
    if version:
        text += f"[extensions]\n\tobjectformat = {object_format}\n"
    return text.encode()


_KNOWN = frozenset(_config(object_format, bare=bare) for object_format in ("sha1", "sha256") for bare in (True, False))


def check_untouched(git_dir: Path) -> None:
    """Refuse a git dir whose configuration is not what plait wrote.

    Raises:
        RepositoryError: Something else wrote there, so a command could run a planted program.
    """
    config = git_dir / "config"
    strange = [
        name
        for name in ("commondir", "config.worktree", "objects/info/alternates", "info/attributes")
        if (git_dir / name).exists()
    ]
    try:
        if config.is_symlink() or config.read_bytes() not in _KNOWN:
            strange.append("config")
    except OSError as error:
        raise RepositoryError(f"{git_dir} is no git folder of plait's; remove it and run again") from error
    if strange:
        raise RepositoryError(
            f"{git_dir / strange[0]} was written by something other than plait; remove {git_dir} and run again"
        )
