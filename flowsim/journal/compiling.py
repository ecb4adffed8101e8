"""How the loops of folds over the journal are compiled.

Numba's cache looks at the file of the outer function only, and would go on using old code if an inner one
stood elsewhere and was edited. So all compiled functions of one loop stand in one file; only this, which is
never compiled itself, they share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., object])


def compiled(function: AnyFunction) -> AnyFunction:
    """Compile a function that makes no array, so that references to arrays need not be counted.

    The counting costs more than the look-ups themselves. Numba's type hints do not list the option.
    """
    options = {"nogil": True, "_nrt": False}
    try:
        found = numba.njit(function, cache=True, **options)  # type: ignore[call-overload]
    except RuntimeError:  # no folder can be written to: compile anew in each process
        found = numba.njit(function, **options)  # type: ignore[call-overload]
    return cast(AnyFunction, found)
