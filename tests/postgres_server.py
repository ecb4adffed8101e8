"""A private PostgreSQL server for tests: on a Unix socket in a temporary folder, gone when they end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Who runs the server where the tests run as root, which initdb refuses; the first that exists.
UNPRIVILEGED = ("postgres", "nobody")


class NoServer(Exception):
    """There is no PostgreSQL here, or it cannot be started; the message says why."""


@dataclass(frozen=True)
class Server:
    """Where the server listens, and who may do everything there."""

    folder: Path
    user: str

    def address(self, database: str = "postgres", user: str | None = None) -> str:
        """Return the address of a database as libpq reads it."""
        return f"postgresql://{user or self.user}@/{database}?host={self.folder}"


def program(name: str) -> str:
    """Return the path of one of the server's programs; NoServer where it is not there."""
    found = shutil.which(name)
    if found is None:
        versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]))
        found = str(versions[-1]) if versions else None
    if found is None:
        raise NoServer(f"no {name} on the PATH or in /usr/lib/postgresql")
    return found


def _as_user() -> tuple[list[str], str]:
    """Return what to put before a command so that it does not run as root, and the name it runs under."""
    if os.geteuid() != 0:
        return [], pwd.getpwuid(os.geteuid()).pw_name
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise NoServer("the tests run as root and there is no setpriv to become somebody else")
        return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], name
    raise NoServer(f"the tests run as root and there is no user {' or '.join(UNPRIVILEGED)}")


def _run(command: list[str]) -> None:
    # The server inherits its starter's output: a pipe would keep us waiting until it ends.
    with tempfile.TemporaryFile() as told:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, timeout=120, check=False, cwd="/"
        )
        told.seek(0)
        if ran.returncode != 0:
            words = told.read().decode(errors="replace").strip().splitlines()
            raise NoServer(f"{Path(command[-1]).name}: {words[-1] if words else ran.returncode}")


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server and stop it afterwards; NoServer where that is not possible."""
    initdb, control = program("initdb"), program("pg_ctl")
    before, user = _as_user()
    # A short path: a Unix socket's has room for about 100 letters.
    folder = Path(tempfile.mkdtemp(prefix="flowsim-pg-"))
    data = folder / "data"
    try:
        if before:
            shutil.chown(folder, user)
        _run(
            [
                *before,
                initdb,
                "-D",
                str(data),
                "-U",
                "tester",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ]
        )
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=10"
        log = str(folder / "log")
        _run([*before, control, "-D", str(data), "-l", log, "-w", "-t", "60", "-o", options, "start"])
        try:
            yield Server(folder, "tester")
        finally:
            _run([*before, control, "-D", str(data), "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
