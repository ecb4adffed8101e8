"""What the world sees of the mail: a place to put commands, luck by address, and the calendars."""

from __future__ import annotations

from typing import Protocol

from flowsim.vocabulary import CommandKind, Event


class Mailbox(Protocol):
    """How the processes of the world speak to the mail; the simulation hands them one."""

    def command(self, kind: CommandKind, a: int = 0, b: int = 0, case: int = 0, delivery: int = 0) -> None:
        """Tell the mail to do something now, with all its consequences."""

    def note(
        self, event: Event, service: int = -1, defect: int = -1, level: int = 0, hours: float = 0.0
    ) -> None:
        """Write a row into the journal about something that the world has done."""

    def draw(self, name: str, n: int, row: int = -1) -> tuple[float, float]:
        """Return a uniform and a duration in hours (a row of the distributions) for the n-th of a name."""

    def open_hours(self, calendar: int, hours: float) -> float:
        """Return how long from now until so many open hours of a calendar have passed."""
