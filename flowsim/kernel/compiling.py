"""How the kernel's functions are compiled, and where the compiled form is kept.

Numba counts references to arrays; a function that takes a tuple of arrays and is not inlined pays two
atomic operations for each of them, at every call (measured: 55 ns of a 60 ns look-up). The kernel
neither makes nor returns arrays, so it has no need of counting, and ``_nrt=False`` leaves it out, as
Numba's own sorting and text functions do. A function that does make an array fails to compile.

Numba's own cache looks only at the file of the function that is called from outside, and was seen to
serve stale code after another file was edited. So the entry points are kept in a folder named by the
hash of all source that is compiled in, with Numba's version.
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
from numba import njit, types

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., object])

#: Source outside this folder whose constants are compiled in.
_COMPILED_IN = (
    "plan/layout.py",
    "plan/calendars.py",
    "plan/distributions.py",
    "plan/quantiles.py",
    "vocabulary/__init__.py",
    "vocabulary/journal.py",
    "vocabulary/messages.py",
    "vocabulary/monitor.py",
    "vocabulary/region.py",
)


@cache
def kernel_hash() -> str:
    """Return 16 hexadecimal digits over all source that is compiled into the kernel, and Numba's version."""
    here = Path(__file__).parent
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for file in (*sorted(here.glob("*.py")), *(here.parent / name for name in _COMPILED_IN)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def cache_folder() -> Path:
    """Return the folder of the compiled kernel of this version; it is made if it is not there."""
    chosen = os.environ.get("FLOWSIM_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    root = Path(chosen) if chosen else Path.home() / ".cache"
    folder = root / "flowsim" / f"kernel-{kernel_hash()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # a home that cannot be written to: the temporary folder serves, at the price of compiling again
    folder = Path(tempfile.gettempdir()) / f"flowsim-{os.getuid()}" / f"kernel-{kernel_hash()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_kept() -> bool:
    """Return whether the kernel of this version has been compiled before on this machine."""
    return any(cache_folder().rglob("mail.advance*.nbc"))


def compiled(function: AnyFunction) -> AnyFunction:
    """Compile a kernel function, or leave it plain Python where NUMBA_DISABLE_JIT=1.

    For functions that work on scalars and on arrays handed to them; not for one that makes or returns
    arrays.
    """
    # Numba's type hints do not list the option.
    dispatcher = njit(function, _nrt=False)  # type: ignore[call-overload]
    return cast(AnyFunction, _once_for_all_constants(dispatcher))


def hot(function: AnyFunction) -> AnyFunction:
    """Compile a function into each of its callers; for those that run for every message.

    A call hands over every array of its tuples, some 300 words on the stack: it cost more than most of
    what is done there. Without calls on the way of a message the kernel is 1.6 times as fast (0.66 to
    1.05 million deliveries a second on Trondheim, side by side).
    """
    dispatcher = njit(function, _nrt=False, forceinline=True)  # type: ignore[call-overload]
    return cast(AnyFunction, _once_for_all_constants(dispatcher))


def inlined(function: AnyFunction) -> AnyFunction:
    """Compile a function into its caller; for one that is called from a single place.

    Numba optimises and translates every function together with all that it calls, so each function less
    is time saved at the first compilation (49 s before, 33 s after, on one core).
    """
    return cast(AnyFunction, njit(function, _nrt=False, inline="always"))  # type: ignore[call-overload]


def _once_for_all_constants(dispatcher: Any) -> Any:
    """Compile a function once for whole numbers, not anew for each constant that it is called with.

    Numba takes a constant for a type of its own: ``write(…, SENT, …)`` and ``write(…, DONE, …)`` were
    compiled apart, which made the kernel's first compilation five times as long.
    """
    if not hasattr(dispatcher, "get_call_template"):
        return dispatcher  # plain Python
    resolve = dispatcher.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        return resolve(tuple(_plain(a) for a in args), {name: _plain(a) for name, a in kws.items()})

    dispatcher.get_call_template = get_call_template
    return dispatcher


def _plain(argument: Any) -> Any:
    """Return the type that an argument is compiled for: no constants, and whole numbers of one size."""
    plain: Any = types.unliteral(argument)  # type: ignore[no-untyped-call]
    return types.int64 if isinstance(plain, types.Integer) else plain


def direct(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Return the compiled form of an entry point for arguments of these types, and of no other types.

    It spares Numba's look at the type of every array at each call, which takes 7 µs where the call itself
    takes 0.6; the world stops the mail often enough for that to show.
    """
    if not hasattr(function, "overloads"):
        return function  # plain Python
    typeof: Any = numba.typeof
    signature = tuple(typeof(argument) for argument in arguments)
    if signature not in function.overloads:
        function.compile(signature)  # type: ignore[attr-defined]
    compiled_form: Callable[..., Any] = function.overloads[signature].entry_point
    return compiled_form


def entry(function: AnyFunction) -> AnyFunction:
    """Compile a function that is called from outside the kernel, and keep the compiled form."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder())
    try:
        return cast(AnyFunction, njit(function, _nrt=False, cache=True))  # type: ignore[call-overload]
    finally:
        config.CACHE_DIR = before
