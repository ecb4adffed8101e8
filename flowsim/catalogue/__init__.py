"""The catalogue that comes with flowsim: channels, faults, economics and pathways, with sources."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from flowsim.errors import UsageError, did_you_mean

Kind = Literal[
    "channels", "faults", "defects", "people", "levers", "economics", "pathways", "monitor", "routing",
    "logs", "response",
]  # fmt: skip

#: Where each kind of file lies below this package; a kind's files begin with its name.
_PATTERN: Final[dict[str, str]] = {
    "channels": "channels*.yaml",
    "faults": "faults*.yaml",
    "defects": "defects*.yaml",
    "people": "people*.yaml",
    "levers": "levers*.yaml",
    "economics": "economics*.yaml",
    "pathways": "pathways/*.yaml",
    "monitor": "monitor/rules*.yaml",
    "routing": "monitor/routing*.yaml",
    "logs": "monitor/logs*.yaml",
    "response": "monitor/response*.yaml",
}


def names(kind: Kind) -> list[str]:
    """Return the names of all catalogue files of a kind, in alphabetical order.

    Raises ``UsageError`` for a kind that the catalogue does not have.

    >>> names("channels")
    ['channels']
    """
    return sorted(_found(kind))


def catalogue_path(kind: Kind, name: str) -> Path:
    """Return the file that the catalogue has under a name.

    Raises ``UsageError`` with the nearest name for one that it does not have.

    >>> catalogue_path("pathways", "gp_referral").name
    'gp_referral.yaml'
    """
    found = _found(kind)
    if name not in found:
        raise UsageError(f"The catalogue has no {kind} called '{name}'.", did_you_mean(name, sorted(found)))
    return found[name]


def _found(kind: str) -> dict[str, Path]:
    """Return the files of a kind by name."""
    if kind not in _PATTERN:
        raise UsageError(f"The catalogue has nothing called '{kind}'.", did_you_mean(kind, _PATTERN))
    # The package is installed as plain files, so its resources have paths.
    folder = Path(str(files(__name__)))
    return {path.stem: path for path in folder.glob(_PATTERN[kind])}
