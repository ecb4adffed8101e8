"""The fold that follows the organisation: staff hours by purpose, the life of each defect, alerts acted on.

All cases count, not only the cohort: a list does not ask whose work it holds. Hours are added up as whole
millionths, so that the sums do not depend on how the journal is cut into blocks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from flowsim.journal import Block, RunHeader, Service
from flowsim.units import WorkingDays
from flowsim.vocabulary import Event, Fault, FoundBy, Party, State

#: What staff hours go to; ``clinical`` is what is left of the work on lists without search.
PURPOSES: Final = ("clinical", "searching", "chasing", "doing_again", "training")
_CLINICAL, _SEARCHING, _CHASING, _AGAIN, _TRAINING = range(5)
#: Ways in which it is the sender who has found something missing, and spends the time.
_BY_SENDER: Final = (FoundBy.referrer_chases, FoundBy.reconciliation, FoundBy.phone_confirmation)
_MILLION: Final = 1e6
_LIFE: Final = {
    Event.defect_began: "began_hours",
    Event.defect_believed: "believed_hours",
    Event.defect_mended: "mended_hours",
}


@dataclass(frozen=True)
class Organisation:
    """What the organisation spent and lived through in a run.

    ``work``: service, organisation, party, purpose, hours (in the observation window). ``defects``: one
    row for each that began: defect, kind, organisation, party, fault, began_hours, first_report_hours,
    believed_hours, discovered_hours (every level has accepted it), mended_hours (nan: not by the end),
    end_hours (of the run), reports, levels, hit (deliveries, in the whole run), happened_days (when it was
    found in reality). ``monitor``: one row where there is a monitor, about the observation window: alerts,
    tickets, hours (of those who act on them), items (looked at), found (brought back by acting on an alert),
    working_days.
    """

    work: pd.DataFrame
    defects: pd.DataFrame
    monitor: pd.DataFrame


class OrganisationFold:
    """The fold that gives ``Organisation``."""

    def start(self, header: RunHeader) -> None:
        """Set up empty accounts for the run."""
        self._header = header
        services, defects = len(header.services), len(header.defects)
        self._hours = np.zeros((services, len(PURPOSES)), np.int64)
        self._error_queue = np.array([s.kind == "error_queue" for s in header.services], np.bool_)
        self._practice = np.array([s.practice for s in header.services], np.bool_)
        self._hit = np.zeros(defects, np.int64)
        self._reports = np.zeros(defects, np.int64)
        self._levels = np.zeros(defects, np.int64)
        self._first_report = np.full(defects, np.nan)
        self._discovered = np.full(defects, np.nan)
        self._life = {name: np.full(defects, np.nan) for name in _LIFE.values()}
        self._alerts = self._tickets = self._items = self._brought_back = self._alert_hours = 0

    def take(self, block: Block) -> None:
        """Read one block of the journal."""
        of_the_world = block[block["event"] >= Event.went_live]
        self._take_world(of_the_world)
        self._take_alerts(of_the_world)
        if len(self._hit):
            authored = block["defect"][(block["event"] == Event.authored) & (block["defect"] >= 0)]
            self._hit += np.bincount(authored, minlength=len(self._hit))
        opens = self._header.warm_up_hours
        time = block["time"]
        if len(block) and (time[-1] < opens or time[0] >= opens + self._header.observe_hours):
            return
        chosen = (block["hours"] > 0.0) | (block["event"] == Event.found)
        rows = block[chosen & (time >= opens) & (time < opens + self._header.observe_hours)]
        self._take_work(rows[rows["event"] == Event.taken])
        done = rows[rows["event"] == Event.done]
        searched = _whole(done["hours"])
        self._add(done["service"], _SEARCHING, searched)
        self._add(done["service"], _CLINICAL, -searched)
        found = rows[rows["event"] == Event.found]
        by_monitor = found["attempt"] == FoundBy.monitor
        self._brought_back += int(np.count_nonzero(by_monitor))
        found = found[~by_monitor]  # those who act on alerts have spent the time
        # A result is chased by the practice that gets it, all else by who sent it.
        asked = (found["attempt"] == FoundBy.referrer_chases) & self._practice[found["service"]]
        by_sender = np.isin(found["attempt"], _BY_SENDER) & ~asked
        payer = np.where(by_sender, found["peer"], found["service"])
        self._add(payer, _CHASING, np.full(len(found), round(self._header.chase_hours * _MILLION)))

    def _take_work(self, taken: Any) -> None:
        """Read what staff began on: own work, failures of what was sent, or what nobody should have to do."""
        hours = _whole(taken["hours"])
        service = taken["service"]
        chasing = self._error_queue[service]
        about = taken["delivery"] != 0
        again = about & ~chasing & ((taken["state"] == State.none) | (taken["intended"] != service))
        for purpose, mask in ((_CHASING, chasing), (_AGAIN, again), (_CLINICAL, ~chasing & ~again)):
            self._add(service[mask], purpose, hours[mask])

    def _add(self, services: Any, purpose: int, hours: Any) -> None:
        np.add.at(self._hours[:, purpose], services[services >= 0], hours[services >= 0])

    def _take_world(self, rows: Any) -> None:
        """Read what the world wrote about itself."""
        opens = self._header.warm_up_hours
        for row in rows:
            event, d, time = int(row["event"]), int(row["defect"]), float(row["time"])
            if event == Event.went_live:
                if opens <= time < opens + self._header.observe_hours:
                    self._hours[row["service"], _TRAINING] += round(float(row["hours"]) * _MILLION)
            elif event in _LIFE:
                self._life[_LIFE[Event(event)]][d] = time
                if event == Event.defect_believed and self._header.escalation_levels == 0:
                    self._discovered[d] = time
            elif event == Event.defect_reported:
                self._reports[d] += 1
                self._first_report[d] = np.fmin(self._first_report[d], time)
            elif event == Event.defect_escalated:
                self._levels[d] = row["attempt"]
                if row["attempt"] == self._header.escalation_levels:
                    self._discovered[d] = time

    def _take_alerts(self, rows: Any) -> None:
        """Read what came in from the monitor, and what was done about it."""
        opens, time = self._header.warm_up_hours, rows["time"]
        rows = rows[(time >= opens) & (time < opens + self._header.observe_hours)]
        raised = rows[rows["event"] == Event.alert_raised]
        self._alerts += int(raised["attempt"].sum(dtype=np.int64))
        self._tickets += len(raised)
        handled = rows[rows["event"] == Event.alert_handled]
        self._items += int(handled["attempt"].sum(dtype=np.int64))
        self._alert_hours += int(_whole(handled["hours"]).sum())

    def finish(self) -> Organisation:
        """Return the accounts."""
        return Organisation(self._work(), self._defects(), self._monitor())

    def _monitor(self) -> pd.DataFrame:
        """Return what the monitor gave and took in the window; no row where there is none."""
        header = self._header
        calendar = WorkingDays(
            header.start_date,
            math.ceil(header.end_hours / 24.0),
            header.holiday_dates,
        )
        days = calendar.working[math.floor(header.warm_up_hours / 24.0) :]
        row = {
            "alerts": self._alerts,
            "tickets": self._tickets,
            "hours": self._alert_hours / _MILLION,
            "items": self._items,
            "found": self._brought_back,
            "working_days": int(days[: math.ceil(header.observe_hours / 24.0)].sum()),
        }
        return pd.DataFrame([row] if header.monitor else [], columns=list(row))

    def _work(self) -> pd.DataFrame:
        services = self._header.services
        names = {int(party): party.name for party in Party}
        service, purpose = np.nonzero(self._hours)
        return pd.DataFrame(
            {
                "service": [services[s].id for s in service],
                "organisation": [_who(services[s]) for s in service],
                "party": [names.get(services[s].party, "other") for s in service],
                "purpose": [PURPOSES[p] for p in purpose],
                "hours": self._hours[service, purpose] / _MILLION,
            }
        )

    def _defects(self) -> pd.DataFrame:
        defects, services = self._header.defects, self._header.services
        party = {s.organisation: s.party for s in services}
        names = {int(p): p.name for p in Party}
        practice = {s.organisation for s in services if s.practice}
        frame = pd.DataFrame(
            {
                "defect": [d.id for d in defects],
                "kind": [d.kind for d in defects],
                "organisation": [
                    "practices" if d.organisation in practice else d.organisation for d in defects
                ],
                "party": [names.get(party.get(d.organisation, 0), "") for d in defects],
                "fault": [Fault(d.fault).name for d in defects],
                **self._life,
                "first_report_hours": self._first_report,
                "discovered_hours": self._discovered,
                "end_hours": self._header.end_hours,
                "reports": self._reports,
                "levels": self._levels,
                "hit": self._hit,
                "happened_days": pd.Series([d.happened_days for d in defects], dtype="float64"),
            }
        )
        return frame[frame["began_hours"].notna()].reset_index(drop=True)


def _who(service: Service) -> str:
    """Return whose service it is; practices are told together, so that no single one is named in results."""
    return "practices" if service.practice else service.organisation


def _whole(hours: Any) -> Any:
    """Return hours as whole millionths."""
    return np.rint(hours.astype(np.float64) * _MILLION).astype(np.int64)
