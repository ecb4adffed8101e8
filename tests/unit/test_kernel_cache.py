"""The compiled kernel is kept by what it was compiled from: no edit goes unnoticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flowsim.kernel import compiling

ROOT = Path(__file__).parents[2]
SHOW = (
    "from flowsim.kernel.compiling import cache_folder, is_kept, kernel_hash; "
    "print(kernel_hash(), cache_folder(), is_kept())"
)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a copy of the package in a folder of its own."""
    shutil.copytree(
        ROOT / "flowsim", tmp_path / "tree" / "flowsim", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path / "tree"


def shown(tree: Path, **environment: str) -> tuple[str, Path, bool]:
    """Return hash, folder and whether it is filled, as a new process sees it; nothing is compiled."""
    names = {**os.environ, "PYTHONPATH": str(tree), "FLOWSIM_CACHE_DIR": str(tree / "cache"), **environment}
    run = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=tree, env=names, capture_output=True, text=True, check=True
    )
    digest, folder, kept = run.stdout.split()
    return digest, Path(folder), kept == "True"


def test_an_edit_of_any_kernel_file_is_noticed(copied: Path) -> None:
    first, folder, kept = shown(copied)
    assert folder.name == f"kernel-{first}" and folder.is_dir() and not kept
    seen = {first}
    for file in ("kernel/lists.py", "kernel/state.py", "plan/layout.py", "vocabulary/journal.py"):
        with (copied / "flowsim" / file).open("a", encoding="utf-8") as text:
            text.write("\n# another line\n")
        seen.add(shown(copied)[0])
    assert len(seen) == 5


def test_every_module_that_is_compiled_in_is_part_of_the_hash() -> None:
    """A kernel file may import constants from nowhere else."""
    allowed = {
        "vocabulary",
        "plan.layout",
        "plan.calendars",
        "plan.distributions",
        "plan.quantiles",
        "kernel",
    }
    for file in (ROOT / "flowsim" / "kernel").glob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("from flowsim."):
                module = line.split()[1].removeprefix("flowsim.")
                assert module in allowed or module.startswith("kernel."), f"{file.name} takes in {module}"
    named = {name.removesuffix(".py").replace("/", ".") for name in compiling._COMPILED_IN}
    inside = {file.stem for file in (ROOT / "flowsim" / "vocabulary").glob("*.py")}
    assert named == (allowed - {"kernel", "vocabulary"}) | {f"vocabulary.{name}" for name in inside}


def test_what_is_not_compiled_in_is_no_part_of_the_hash(copied: Path) -> None:
    first = shown(copied)[0]
    with (copied / "flowsim" / "simulation.py").open("a", encoding="utf-8") as text:
        text.write("\n# another line\n")
    assert shown(copied)[0] == first


def test_a_folder_that_cannot_be_written_to_costs_only_the_time_to_compile(copied: Path) -> None:
    blocked = copied / "blocked"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    digest, folder, _ = shown(copied, FLOWSIM_CACHE_DIR=str(blocked))
    assert folder.name == f"kernel-{digest}" and folder.is_dir() and blocked not in folder.parents
