"""What both sides of the speed comparison must agree on, computed alike from their journal rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.vocabulary import Event, State

#: The step of benchmarks/referral/pathway.yaml at which care starts.
CARE = 8
NAMES = ("hours_to_care", "lost_share", "rows_per_case")


class Tally:
    """Adds up the journals of one side, one at a time."""

    def __init__(self, observe: float, follow_up: float) -> None:
        """Count cases created within the first ``observe`` hours, each followed for ``follow_up`` hours."""
        self.observe, self.follow_up = observe, follow_up
        self.hours = 0.0
        self.cohort = self.cases = self.rows = self.deliveries = self.lost = 0

    def add(self, journal: NDArray[Any]) -> None:
        """Add the rows of a whole replication (``vocabulary.JOURNAL_SCHEMA``)."""
        created = journal[journal["event"] == Event.created]
        care = journal[(journal["event"] == Event.milestone) & (journal["step"] == CARE)]
        cohort = np.sort(created[created["time"] < self.observe], order="case")
        place = np.searchsorted(cohort["case"], care["case"])
        known = (place < len(cohort)) & (cohort["case"][np.minimum(place, len(cohort) - 1)] == care["case"])
        waited = np.full(len(cohort), self.follow_up)
        waited[place[known]] = care["time"][known] - cohort["time"][place[known]]
        self.hours += float(np.minimum(waited, self.follow_up).sum())
        self.cohort += len(cohort)
        self.cases += len(created)
        self.rows += len(journal)
        sent = journal[journal["delivery"] != 0]
        # The last row of each delivery tells where it is at the end.
        order = np.lexsort((np.arange(len(sent)), sent["delivery"], sent["case"]))
        case, delivery = sent["case"][order], sent["delivery"][order]
        last = np.append((case[1:] != case[:-1]) | (delivery[1:] != delivery[:-1]), True)
        self.deliveries += int(last.sum())
        self.lost += int((sent["state"][order][last] == State.silent).sum())

    def means(self) -> dict[str, float]:
        """Return the mean hours to care (restricted), the share of deliveries lost, and rows per case.

        Who has not started care after ``follow_up`` hours counts with all of them; lost is what lies in a
        silent state at the end.
        """
        return {
            "hours_to_care": self.hours / self.cohort,
            "lost_share": self.lost / self.deliveries,
            "rows_per_case": self.rows / self.cases,
        }


def disagreements(a: dict[str, float], b: dict[str, float], tolerance: float) -> list[str]:
    """Return the names of the means that differ by more than a share ``tolerance`` of the first."""
    return [name for name in NAMES if abs(a[name] - b[name]) > tolerance * abs(a[name])]
