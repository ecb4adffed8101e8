"""What can go wrong, as a tree; the number is the exit code of the program.

::

    FlowsimError ............ 1    anything below; catch this one at the top
    ├── UsageError .......... 2    the command line asks for something that does not exist
    ├── FaultsInFile ........ 3    one or more faults in the user's files, all told at once
    ├── IdentityNumber ...... 3    a log holds what is shaped like an identity number; its value is not told
    ├── OutputConflict ...... 3    the output folder holds something that must not be overwritten
    ├── RunFailed ........... 1    a run broke; the runs that were whole are kept
    └── Interrupted ......... 130  stopped by the user; says how to go on

A ``Fault`` is one mistake in one file. It is a value, not an exception: checks gather faults, and
``FaultsInFile`` carries them all to the user.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

#: Longest piece of a source line that is shown beneath a fault.
SOURCE_WIDTH_MAX = 100

#: More legal words than this are cut, with the number of those left out.
LEGAL_WORDS_MAX = 20


@dataclass(frozen=True)
class Fault:
    """One mistake in a file of the user's: where it stands, what is wrong, and what would mend it.

    ``file`` is the path as the user gave it; ``line`` counts from 1, or is None where no line is to
    blame; ``path`` is the dotted path inside the file; ``message`` is a sentence; ``hint`` is what to
    write instead; ``source_line`` is shown beneath when given.

    >>> print(Fault("a.yaml", 12, "adotion", "'adotion' is not known here.", "Did you mean 'adoption'?"))
    a.yaml:12  'adotion' is not known here. Did you mean 'adoption'?
    """

    file: str
    line: int | None
    path: str
    message: str
    hint: str = ""
    source_line: str = ""

    def __str__(self) -> str:
        """Return the fault as the console shows it: one line, and the source beneath where it helps."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        text = f"{place}  {self.message}" + (f" {self.hint}" if self.hint else "")
        if self.line is not None and self.source_line.strip():
            source = self.source_line.rstrip()
            if len(source) > SOURCE_WIDTH_MAX:
                source = source[:SOURCE_WIDTH_MAX] + " …"
            text += f"\n{self.line:>7} | {source}"
        return text


class FlowsimError(Exception):
    """Anything that flowsim tells its user; never a mistake in flowsim itself."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep a sentence that says what happened, and one that says what to do about it."""
        super().__init__(message, hint)  # both in args, so that it survives a trip between processes
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the sentence, and what to do about it."""
        return f"{self.message} {self.hint}".rstrip()


class UsageError(FlowsimError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class FaultsInFile(FlowsimError):
    """One or more faults in the user's files, ordered by file and line, each told once."""

    exit_code = 3

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults; there must be at least one."""
        # A dict drops repeats and keeps the order; sorting by line is stable within a line.
        self.faults = sorted(dict.fromkeys(faults), key=lambda fault: (fault.file, fault.line or 0))
        if not self.faults:
            raise ValueError("FaultsInFile needs at least one fault")
        super().__init__("\n".join(str(fault) for fault in self.faults))
        self.args = (self.faults,)  # what pickle builds it from again

    def __str__(self) -> str:
        """Return every fault, and how many there are."""
        count = len(self.faults)
        return f"{self.message}\n{count} {'fault' if count == 1 else 'faults'}. Nothing was run."


class IdentityNumber(FlowsimError):
    """A log holds something shaped like an identity number where none may be; says where, never which."""

    exit_code = 3


class OutputConflict(FlowsimError):
    """The output folder holds results of something else, or cannot be written."""

    exit_code = 3


class RunFailed(FlowsimError):
    """A run broke; the others are kept."""

    exit_code = 1


class Interrupted(FlowsimError):
    """Stopped by the user; the hint is the command that goes on."""

    exit_code = 130


def nearest(word: str, legal: Iterable[str]) -> str | None:
    """Return the legal word that a misspelt one most likely stands for, or None.

    >>> nearest("adotion", ["adoption", "seed"])
    'adoption'
    """
    by_lower = {str(candidate).lower(): str(candidate) for candidate in legal}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def legal_list(words: Iterable[str]) -> str:
    """Return words as a list in a sentence, quoted, long lists cut.

    >>> legal_list(["a", "b", "c"])
    "'a', 'b' or 'c'"
    """
    quoted = [f"'{word}'" for word in words]
    if len(quoted) > LEGAL_WORDS_MAX:
        left_out = len(quoted) - LEGAL_WORDS_MAX
        return ", ".join(quoted[:LEGAL_WORDS_MAX]) + f" or one of {left_out} more"
    if len(quoted) < 2:  # a list of one has no "or"
        return "".join(quoted)
    return ", ".join(quoted[:-1]) + " or " + quoted[-1]


def did_you_mean(word: str, legal: Iterable[str]) -> str:
    """Return the hint for a word that is not known: the nearest legal one, else all of them.

    >>> did_you_mean("xyz", ["a", "b"])
    "Known here: 'a' or 'b'."
    """
    words = list(legal)
    near = nearest(word, words)
    if near is not None:
        return f"Did you mean '{near}'?"
    return f"Known here: {legal_list(words)}." if words else ""
