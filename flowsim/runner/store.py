"""The output folder: one lock, one configuration, and run folders that are there only when whole."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from flowsim.errors import OutputConflict
from flowsim.experiment.jobs import Job, Program

MANIFEST: Final = "manifest.json"
RESOLVED: Final = "resolved.yaml"
RUNS: Final = "runs"
RUN_INFO: Final = "run_info.json"
ERROR: Final = "error.txt"
LOCK: Final = ".lock"

#: Parts of ``resolved.yaml`` that may change between two runs into one folder.
_MAY_DIFFER: Final = ("name", "question", "replications", "economics")
_DIFFERENCES_SHOWN: Final = 5

#: What carries out a job in a folder, given its twins' folders; returns what to tell about the run.
CarryOut = Callable[[Job, Path, Mapping[str, Path]], dict[str, Any]]


def work_on(job: Job, runs: Path, carry_out: CarryOut) -> str:
    """Carry out a job in ``runs/<hash>.part``, rename it to ``runs/<hash>`` when whole, return the hash.

    This is what a worker runs. The trace of a failure is left in the ``.part`` folder.
    """
    part, whole = runs / f"{job.hash}.part", runs / job.hash
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    began = time.perf_counter()
    try:
        facts = carry_out(job, part, {need: runs / need for need in job.needs})
    except Exception:
        with contextlib.suppress(OSError):
            (part / ERROR).write_text(traceback.format_exc(), encoding="utf-8")
        raise
    told = {
        "job": {"kind": job.kind.value, "label": job.label, "replication": job.replication, "keep": job.keep},
        "design": job.design_key,
        "needs": list(job.needs),
        **facts,
        "seconds_in_all": round(time.perf_counter() - began, 3),
        "files": {name: checksum(part / name) for name in _files(part)},
    }
    write_json(part / RUN_INFO, told)
    shutil.rmtree(whole, ignore_errors=True)
    part.rename(whole)
    return job.hash


def is_whole(folder: Path) -> bool:
    """Return whether a run folder has every file that its ``run_info.json`` lists, unchanged."""
    try:
        told = json.loads((folder / RUN_INFO).read_text(encoding="utf-8"))["files"]
        return all(checksum(folder / name) == expected for name, expected in told.items())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


def checksum(path: Path) -> str:
    """Return the BLAKE2b hash of a file's bytes as 32 hexadecimal digits."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain data as JSON in one go, so that a reader never sees half of it."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)


def read_manifest(out: Path) -> dict[str, Any] | None:
    """Return an output folder's manifest, or None where there is none that can be read."""
    try:
        found = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


# --- one run at a time ---------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold an output folder for one run; raises ``OutputConflict`` while another run holds it.

    The operating system lets go of the lock when its holder ends, however it ends, so a lock file that
    a killed run left behind is no hindrance.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = _hold(out / LOCK)
    except OSError as error:
        if (
            error.errno in (errno.EWOULDBLOCK, errno.EACCES)
            and (out / LOCK).exists()
            and os.access(out, os.W_OK)
        ):
            raise OutputConflict(
                f"{out} is in use by {_holder(out / LOCK)}.", "Wait for it, or use -o."
            ) from None
        raise OutputConflict(f"{out} cannot be written: {_reason(error)}.", "Use -o DIR.") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (out / LOCK).unlink()
        os.close(file)


def _hold(path: Path) -> int:
    """Return an open lock file that this process holds; ``OSError`` if another does."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            raise
        # The last holder may have removed the file between our opening and our locking it.
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(file).st_ino == path.stat().st_ino:
                os.ftruncate(file, 0)
                os.write(file, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
                return file
        os.close(file)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "another run"
    except OSError:
        return "another run"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


# --- one configuration a folder --------------------------------------------------------------------------


def check_folder(out: Path, resolved: Mapping[str, Any], program: Program) -> None:
    """Raise ``OutputConflict`` if a folder holds something else than this study by this program.

    Only the number of replications, economics and the texts that people read may differ.
    """
    manifest = read_manifest(out)
    hint = "Nothing was overwritten. Use another folder (-o DIR), or remove this one."
    if manifest is None:
        strange = sorted(p.name for p in out.iterdir() if p.name != LOCK) if out.is_dir() else []
        if strange:
            message = f"{out} holds files that are not results of flowsim ({', '.join(strange[:3])})."
            raise OutputConflict(message, hint)
        return
    there = manifest.get("program", {})
    differ = [
        f"  {name}: {there.get(name, 'unknown')} there, {now} now"
        for name, now in (("version", program.version), ("kernel", program.kernel), ("code", program.code))
        if there.get(name) != now
    ]
    if differ:
        raise OutputConflict(
            f"{out} was made by another version of flowsim:\n" + "\n".join(differ) + "\n", hint
        )
    differ = [f"  {line}" for line in differences(_read_resolved(out), resolved)]
    if differ:
        more = len(differ) - _DIFFERENCES_SHOWN
        shown = differ[:_DIFFERENCES_SHOWN] + ([f"  and {more} more"] if more > 0 else [])
        raise OutputConflict(
            f"{out} holds results of another configuration:\n" + "\n".join(shown) + "\n", hint
        )


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return what differs between two resolved configurations, a line for each dotted path."""
    old, new = (
        _flat({name: value for name, value in data.items() if name not in _MAY_DIFFER})
        for data in (there, here)
    )
    paths = [path for path in {**new, **old} if old.get(path, "nothing") != new.get(path, "nothing")]
    return [f"{path}: {old.get(path, 'nothing')} there, {new.get(path, 'nothing')} now" for path in paths]


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Return plain data as text by dotted path; items of lists go by their id, else their number."""
    if isinstance(value, Mapping) and value:
        parts = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, list | tuple) and value:
        parts = [
            (str(part["id"]) if isinstance(part, Mapping) and "id" in part else str(number), part)
            for number, part in enumerate(value, 1)
        ]
    else:
        return {path: json.dumps(value, ensure_ascii=False, default=str)}
    flat: dict[str, str] = {}
    for key, part in parts:
        flat.update(_flat(part, f"{path}.{key}" if path else key))
    return flat


def _read_resolved(out: Path) -> dict[str, Any]:
    try:
        found = YAML(typ="safe").load((out / RESOLVED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return found if isinstance(found, dict) else {}


def write_resolved(out: Path, resolved: Mapping[str, Any]) -> None:
    """Write the configuration with every default."""
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 110
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    beside = out / f"{RESOLVED}.new"
    with beside.open("w", encoding="utf-8", newline="\n") as file:
        file.write("# Everything that was run, with every default. Written by flowsim.\n")
        yaml.dump(dict(resolved), file)
    beside.replace(out / RESOLVED)
