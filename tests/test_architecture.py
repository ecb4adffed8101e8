"""The layers hold: a module imports only from what stands before it, and the two halves meet in the journal.

Imports are read from the source, those inside functions and under TYPE_CHECKING included.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "flowsim"
LINES_MAX = 400
FUNCTION_LINES_MAX = 60

COMMON = ["errors", "units", "vocabulary", "labels", "config", "topology", "catalogue"]
WORLD = ["plan", "kernel", "world", "simulation"]
ANALYSIS = [
    "journal",
    "exports",
    "observe",
    "truth",
    "monitor",
    "episodes",
    "measures",
    "statistics",
    "economics",
    "charts",
    "report",
]
ORCHESTRATION = ["experiment", "runner", "cli_export", "cli"]
ORDER = [*COMMON, *WORLD, *ANALYSIS, *ORCHESTRATION]

LIGHT = ["errors", "units", "vocabulary", "config"]
HEAVY = {"pandas", "numba", "simpy", "scipy", "matplotlib", "networkx", "pyarrow", "flowsim.cli"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def top(path: Path) -> str:
    """Return the layer that a file of the package belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(source: str, package: tuple[str, ...] = ("flowsim",)) -> set[tuple[str, int]]:
    """Return each module that a source imports, with its line; relative imports are made absolute."""
    found: set[tuple[str, int]] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {(alias.name, node.lineno) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*base, *([node.module] if node.module else [])])
            # "from flowsim import plan" imports flowsim.plan
            names = [f"{name}.{alias.name}" for alias in node.names] if name == "flowsim" else [name]
            found |= {(each, node.lineno) for each in names}
    return found


def offences(layer: str, source: str, package: tuple[str, ...] = ("flowsim",)) -> list[str]:
    """Return what is wrong with the imports of one module of a layer."""
    found = []
    for name, line in sorted(imports(source, package)):
        parts = name.split(".")
        if parts[0] != "flowsim" or len(parts) == 1 or parts[1] in ("__version__", layer):
            continue
        target = parts[1]
        if target not in ORDER:
            found.append(f"line {line}: flowsim.{target} is in no layer")
        elif ORDER.index(target) > ORDER.index(layer):
            found.append(f"line {line}: {layer} imports {target}, which stands after it")
        elif layer in ANALYSIS and target in WORLD:
            found.append(f"line {line}: {layer} (analysis) imports {target} (world)")
    return found


def package_of(path: Path) -> tuple[str, ...]:
    return ("flowsim", *path.relative_to(PACKAGE).parts[:-1])


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("path", modules(), ids=named)
def test_module_imports_only_from_the_layers_before_it(path: Path) -> None:
    if path == PACKAGE / "__init__.py" or path == PACKAGE / "__main__.py":
        return
    assert top(path) in ORDER, f"{named(path)} is in no layer; put it into one in this file"
    assert offences(top(path), path.read_text(encoding="utf-8"), package_of(path)) == []


@pytest.mark.parametrize("path", [path for path in modules() if top(path) in LIGHT], ids=named)
def test_light_module_imports_no_heavy_library(path: Path) -> None:
    found = imports(path.read_text(encoding="utf-8"), package_of(path))
    assert sorted(name for name, _ in found if name in HEAVY or name.split(".")[0] in HEAVY) == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > LINES_MAX} == {}


def test_no_function_is_longer_than_a_reader_can_hold() -> None:
    """Code compiled by Numba in the kernel may be longer: it cannot be cut where arrays are shared."""
    found = {}
    for path in modules():
        if top(path) == "kernel":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    found[f"{named(path)}:{node.lineno} {node.name}"] = length
    assert found == {}


@pytest.mark.parametrize(
    ("layer", "source", "expected"),
    [
        ("config", "from flowsim.plan.layout import x", "config imports plan"),
        ("measures", "import flowsim.kernel.draws", "measures (analysis) imports kernel (world)"),
        ("charts", "def f():\n    from flowsim import simulation", "charts (analysis) imports simulation"),
        ("kernel", "from flowsim.journal import write", "kernel imports journal"),
        ("units", "from flowsim.helpers import x", "flowsim.helpers is in no layer"),
        ("errors", "from .units import x", "errors imports units"),
    ],
)
def test_a_forbidden_import_is_seen(layer: str, source: str, expected: str) -> None:
    assert any(expected in offence for offence in offences(layer, source))


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("experiment", "from flowsim.simulation import x\nfrom flowsim.report import y"),
        ("plan", "from flowsim.plan.layout import x\nimport numpy"),
        ("charts", "from flowsim.measures import x"),
    ],
)
def test_an_allowed_import_is_not_an_offence(layer: str, source: str) -> None:
    assert offences(layer, source) == []


def test_reading_a_configuration_loads_no_heavy_library() -> None:
    program = "import sys, flowsim.config.loading, flowsim.config.schema; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
    )
    loaded = {name.split(".")[0] for name in ran.stdout.split()}
    assert "pydantic" in loaded
    assert loaded & HEAVY == set()
