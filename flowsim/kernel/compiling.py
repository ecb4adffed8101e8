"""How the kernel's functions are compiled.

Numba counts references to arrays; a function that takes a tuple of arrays and is not inlined pays two
atomic operations for each of them, at every call (measured: 55 ns of a 60 ns look-up). The kernel
neither makes nor returns arrays, so it has no need of counting, and ``_nrt=False`` leaves it out, as
Numba's own sorting and text functions do. A function that does make an array fails to compile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., object])


def compiled(function: AnyFunction) -> AnyFunction:
    """Compile a kernel function, or leave it plain Python where NUMBA_DISABLE_JIT=1.

    For functions that work on scalars and on arrays handed to them; not for one that makes or returns
    arrays.
    """
    # Numba's type hints do not list the option.
    return cast(AnyFunction, njit(function, _nrt=False))  # type: ignore[call-overload]
