"""What each party can see of the flow: observations, as a log would have them, with its imperfections."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowsim.observe.fold import ObservationFold, observe
    from flowsim.observe.logs import Logs
    from flowsim.observe.naming import ACTIVITIES, directory_of

__all__ = ["ACTIVITIES", "Logs", "ObservationFold", "directory_of", "observe"]

#: Where each name stands. They are fetched when used: who needs the directory only shall not load Numba.
_WHERE = {
    "ACTIVITIES": "naming",
    "Logs": "logs",
    "ObservationFold": "fold",
    "directory_of": "naming",
    "observe": "fold",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
