"""Measures of deliveries: their fate, their first outcome, what stays unseen, and of referrals alone."""

from __future__ import annotations

import numpy as np

from flowsim.measures.registry import Better, Columns, Level, lower_quantile, measure, share
from flowsim.vocabulary import Fate, FirstOutcome

_ALL, _REFERRALS = Level.deliveries, Level.referrals


def _fate_share(g: Columns, fate: Fate) -> float:
    return share(np.count_nonzero(g["fate"] == fate), len(g["fate"]))


def _late_share(g: Columns) -> float:
    due = g["has_deadline"]
    return share(np.count_nonzero(due & (g["fate"] == Fate.late)), np.count_nonzero(due))


@measure(_ALL, "deliveries", Better.neutral)
def deliveries_created(g: Columns) -> float:
    """Deliveries authored by the cohort's cases before their horizon; a copy is a delivery of its own."""
    return float(len(g["fate"]))


@measure(_ALL, "share", Better.lower)
def deliveries_lost_share(g: Columns) -> float:
    """Deliveries in a silent state at the horizon, of all deliveries created."""
    return _fate_share(g, Fate.lost)


@measure(_ALL, "share", Better.lower)
def deliveries_late_share(g: Columns) -> float:
    """Deliveries seen after their deadline, of the deliveries whose kind has a deadline.

    The recovered have a fate of their own and count in the denominator only.
    """
    return _late_share(g)


@measure(_ALL, "share", Better.neutral)
def deliveries_recovered_share(g: Columns) -> float:
    """Deliveries that had entered a silent state, were found and then seen, of all deliveries created."""
    return _fate_share(g, Fate.recovered)


@measure(_ALL, "share", Better.neutral)
def deliveries_waiting_share(g: Columns) -> float:
    """Deliveries in transport, told to their sender or on a watched list at the horizon, of all created."""
    return _fate_share(g, Fate.waiting)


@measure(_ALL, "share", Better.lower)
def silent_failure_share(g: Columns) -> float:
    """Deliveries whose first outcome was a failure that nobody was told of, whatever came later, of all."""
    first = g["first_outcome"]
    return share(np.count_nonzero(first == FirstOutcome.failed_silently), len(first))


@measure(_ALL, "share", Better.lower)
def failed_told_share(g: Columns) -> float:
    """Deliveries whose first outcome was a failure that their sender was told of, of all created."""
    first = g["first_outcome"]
    return share(np.count_nonzero(first == FirstOutcome.failed_told), len(first))


@measure(_ALL, "share", Better.lower)
def unseen_after_30_days_share(g: Columns) -> float:
    """Deliveries not seen within 30 days of authoring.

    Of those followed for 30 days and not taken back in them.
    """
    return share(np.count_nonzero(g["unseen_30"]), np.count_nonzero(g["followed_30"]))


@measure(_ALL, "share", Better.lower)
def unseen_after_90_days_share(g: Columns) -> float:
    """Deliveries not seen within 90 days of authoring.

    Of those followed for 90 days and not taken back in them.
    """
    return share(np.count_nonzero(g["unseen_90"]), np.count_nonzero(g["followed_90"]))


@measure(_ALL, "share", Better.lower)
def faults_share(g: Columns) -> float:
    """Deliveries that had a fault by the horizon, of all deliveries created.

    A group fault=… counts the deliveries with that fault, still of all deliveries created.
    """
    return share(np.count_nonzero(g["fault"]), len(g["fault"]))


@measure(_ALL, "share", Better.higher)
def discharge_summary_sent_within_1_day_share(g: Columns) -> float:
    """Discharge summaries that left the sender within 24 h of discharge, of main deliveries so long followed.

    The time counts from the discharged milestone, or from authoring where a pathway has none. What was
    taken back unsent is left out. What the sender's system wrongly shows as sent has not left.
    """
    due = g["summary_followed"]
    return share(np.count_nonzero(due & g["summary_in_time"]), np.count_nonzero(due))


@measure(_REFERRALS, "deliveries", Better.neutral)
def referrals_created(g: Columns) -> float:
    """Referrals authored (main deliveries; copies are left out, also in the measures below)."""
    return float(len(g["fate"]))


@measure(_REFERRALS, "share", Better.lower)
def referrals_lost_share(g: Columns) -> float:
    """Referrals in a silent state at the horizon, of all referrals created."""
    return _fate_share(g, Fate.lost)


@measure(_REFERRALS, "share", Better.lower)
def referrals_late_share(g: Columns) -> float:
    """Referrals seen after their deadline, of the referrals that have one."""
    return _late_share(g)


@measure(_REFERRALS, "share", Better.neutral)
def referrals_recovered_share(g: Columns) -> float:
    """Referrals that had entered a silent state, were found and then seen, of all referrals created."""
    return _fate_share(g, Fate.recovered)


def _delivery_hours(g: Columns, q: float) -> float:
    return lower_quantile(g["delivery_hours"][g["fate"] != Fate.cancelled], q)


@measure(_REFERRALS, "hours", Better.lower)
def referral_delivery_hours_median(g: Columns) -> float:
    """Median hours from authoring to receipt at the intended service.

    Lower quantile over all referrals not cancelled; one not received by the horizon counts the whole
    follow-up, so where half are not received, the follow-up is what is reported.
    """
    return _delivery_hours(g, 0.5)


@measure(_REFERRALS, "hours", Better.lower)
def referral_delivery_hours_p90(g: Columns) -> float:
    """90th percentile of the hours from authoring to receipt at the intended service; see the median."""
    return _delivery_hours(g, 0.9)
