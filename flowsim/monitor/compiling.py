"""How the walk is compiled, and where the compiled form is kept.

As in the kernel: a cache that looks at one file only would serve stale code after another was edited, so
the compiled form lies in a folder named by the hash of all that is compiled in.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., object])

_COMPILED_IN = (
    "compiling.py",
    "alerts.py",
    "layout.py",
    "slots.py",
    "verdicts.py",
    "core.py",
    "../vocabulary/monitor.py",
)


@cache
def cache_folder() -> Path:
    """Return the folder of the compiled form of this version; it is made if it is not there."""
    here = Path(__file__).parent
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for name in _COMPILED_IN:
        digest.update((here / name).read_bytes() + b"\0")
    chosen = os.environ.get("FLOWSIM_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    root = Path(chosen) if chosen else Path.home() / ".cache"
    for base in (root / "flowsim", Path(tempfile.gettempdir()) / f"flowsim-{os.getuid()}"):
        folder = base / f"monitor-{digest.hexdigest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue  # a home that cannot be written to: the temporary folder serves
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp())


def compiled(function: AnyFunction) -> AnyFunction:
    """Compile a function that makes no array into its caller; a call would hand over every array."""
    # Numba's type hints do not list the option.
    return cast(AnyFunction, numba.njit(function, _nrt=False, forceinline=True))  # type: ignore[call-overload]


def entry(function: AnyFunction) -> AnyFunction:
    """Compile a function that the engine calls, and keep the compiled form."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder())
    try:
        return cast(AnyFunction, numba.njit(function, _nrt=False, cache=True))  # type: ignore[call-overload]
    finally:
        config.CACHE_DIR = before
