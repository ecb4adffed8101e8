"""Measures of cases: time to care, delay against the target, excess delay by cause, clocks, people.

τ is the follow-up, the same for every case. A case not started by τ counts τ, whether its referral is
lost or waits. Withdrawal, death and being turned away are competing events: in a mean such a case
counts the time until then. In a quantile one that withdrew or died counts τ, as it never starts (so a
quantile is where the cumulative incidence of starting reaches it, and τ where it does not), and one
that was turned away is left out: it was answered, and waits for nothing.
"""

from __future__ import annotations

import numpy as np

from flowsim.measures.registry import Array, Better, Columns, Level, lower_quantile, mean, measure, share

_CARE, _CASES = Level.care, Level.cases
_IDEAL = ("excess",)
_TWINS = ("excess", "excess_faults")
_PEOPLE = "per 100,000 inhabitants and year"


def _of_all(g: Columns, name: str) -> float:
    return share(np.count_nonzero(g[name]), len(g[name]))


def _days_to_start(g: Columns) -> Array:
    days = np.where(g["started"], g["time_to_care"], g["follow_up"])
    return days[~g["turned_away"]]


def _days_beyond_target(g: Columns) -> Array:
    return _known(_days_to_start(g) - g["target"][~g["turned_away"]])


def _known(values: Array) -> Array:
    return values[~np.isnan(values)]


@measure(_CARE, "days", Better.lower)
def time_to_care_days_mean(g: Columns) -> float:
    """Mean of min(care start − creation, τ); not started counts τ, withdrawn the time until then."""
    return mean(g["time_to_care"])


@measure(_CARE, "days", Better.lower)
def time_to_care_days_median(g: Columns) -> float:
    """Lower median of the days from creation to care; not started or withdrawn counts τ.

    Over all cases but those turned away; where the quantile is not reached, τ is what is reported.
    """
    return lower_quantile(_days_to_start(g), 0.5)


@measure(_CARE, "days", Better.lower)
def time_to_care_days_p90(g: Columns) -> float:
    """Lower 90th percentile of the days from creation to care; see the median."""
    return lower_quantile(_days_to_start(g), 0.9)


@measure(_CARE, "days", Better.lower)
def start_of_care_delay_days_mean(g: Columns) -> float:
    """Mean of time to care (restricted at τ) minus the target of pathway and urgency; negative is early."""
    return mean(_known(g["time_to_care"] - g["target"]))


@measure(_CARE, "days", Better.lower)
def start_of_care_delay_days_median(g: Columns) -> float:
    """Lower median of start minus target; one not started, or withdrawn, counts τ minus its target.

    Over all cases with a target but those turned away.
    """
    return lower_quantile(_days_beyond_target(g), 0.5)


@measure(_CARE, "days", Better.lower)
def start_of_care_delay_days_p90(g: Columns) -> float:
    """Lower 90th percentile of start minus target; see the median."""
    return lower_quantile(_days_beyond_target(g), 0.9)


@measure(_CARE, "share", Better.lower)
def delayed_start_share(g: Columns) -> float:
    """Cases whose time to care passes the threshold of their pathway and urgency.

    Of the cases that have a threshold not longer than τ; one that withdrew before it is not delayed.
    """
    possible = g["delayed_after"] <= g["follow_up"]
    return share(np.count_nonzero(g["delayed"]), np.count_nonzero(possible))


@measure(_CARE, "share", Better.lower)
def not_started_share(g: Columns) -> float:
    """Cases neither started nor withdrawn nor turned away by τ, of all cases with a start of care."""
    return _of_all(g, "not_started")


@measure(_CARE, "share", Better.neutral)
def withdrawn_share(g: Columns) -> float:
    """Cases that withdrew or died before care started, of all cases with a start of care."""
    return _of_all(g, "withdrawn")


@measure(_CARE, "days", Better.lower, needs=_IDEAL)
def excess_delay_days_mean(g: Columns) -> float:
    """Mean of time to care minus that of the same case in the ideal-message twin, both restricted at τ."""
    return mean(g["excess"])


@measure(_CARE, "days", Better.lower, needs=_TWINS)
def excess_delay_days_mean_faults(g: Columns) -> float:
    """Mean excess delay due to faults: time to care minus the same-adoption twin's."""
    return mean(g["excess_faults"])


@measure(_CARE, "days", Better.lower, needs=_TWINS)
def excess_delay_days_mean_way_of_working(g: Columns) -> float:
    """Mean excess delay due to the way of working: the same-adoption twin minus the ideal twin."""
    return mean(g["excess"] - g["excess_faults"])


@measure(_CARE, "days", Better.lower, needs=_TWINS)
def excess_delay_days_mean_own(g: Columns) -> float:
    """Faults part in the cases that a fault touched, summed and divided by all cases.

    Own and others' add up to the faults part.
    """
    return mean(np.where(g["touched"], g["excess_faults"], 0.0))


@measure(_CARE, "days", Better.lower, needs=_TWINS)
def excess_delay_days_mean_others(g: Columns) -> float:
    """Faults part in the cases that no fault touched (queues only), summed and divided by all cases."""
    return mean(np.where(g["touched"], 0.0, g["excess_faults"]))


@measure(_CARE, "share", Better.neutral, needs=_IDEAL)
def excess_delay_negative_share(g: Columns) -> float:
    """Cases that got care sooner than in the ideal-message twin, as when a lost referral frees a slot."""
    return share(np.count_nonzero(g["excess"] < -1e-9), len(g["excess"]))


@measure(_CARE, "share", Better.lower)
def statutory_breach_share(g: Columns) -> float:
    """Cases whose target, counted from receipt at the organisation, passed before care and before τ.

    Of all cases with a target whose pathway begins with a request for care (a referral or an
    application). A request that never arrives breaches nothing officially.
    """
    return share(np.count_nonzero(g["breach"]), np.count_nonzero(g["clocked"]))


@measure(_CARE, "share", Better.lower)
def hidden_delay_share(g: Columns) -> float:
    """Cases late counted from creation that breach nothing counted from receipt.

    Of the same cases as the share of breaches.
    """
    return share(np.count_nonzero(g["hidden"]), np.count_nonzero(g["clocked"]))


@measure(_CASES, "share", Better.higher)
def assessment_within_10_working_days_share(g: Columns) -> float:
    """Referrals assessed within 10 working days of receipt, of the cases whose referral arrived.

    Only pathways with an assessment; a case still unassessed is left out if its limit lies beyond its
    horizon, or if it withdrew before the limit. A referral that never arrived is in no denominator.
    """
    due = g["assessment_followed"]
    return share(np.count_nonzero(due & g["assessment_in_time"]), np.count_nonzero(due))


@measure(_CASES, "days a year", Better.lower)
def discharge_waiting_days(g: Columns) -> float:
    """Days a year on which discharge-ready patients wait in hospital, for the whole simulated region.

    From the milestone discharge_ready to discharged, the time called off left out; one who withdraws or
    dies waits until then, and one not yet discharged until the horizon. Hours count as parts of days, so
    that a wait of some hours counts although nobody pays for it.
    """
    if not g["leaves_hospital"].any():
        return float("nan")
    return float(g["discharge_waiting"].sum() * g["year_factor"][0])


def _per_year(g: Columns, count: int) -> float:
    # The factor is the same in all rows: 100,000 / inhabitants and a year / the observation window.
    return count * float(g["people_factor"][0]) if len(g["people_factor"]) else 0.0


@measure(_CASES, _PEOPLE, Better.lower)
def patients_exposed(g: Columns) -> float:
    """Cases with at least one silent failure or a delayed start, per 100,000 inhabitants and year."""
    return _per_year(g, int(np.count_nonzero((g["silent_failures"] > 0) | g["delayed"])))


def _delayed_by(g: Columns, days: float) -> float:
    # Where τ ends too early for anybody to be seen so late, there is no value, and not a reassuring 0.
    latest = _known(g["follow_up"] - g["target"])
    if not len(latest) or latest.max() < days:
        return float("nan")
    return _per_year(g, int(np.count_nonzero(g["time_to_care"] - g["target"] >= days)))


@measure(_CARE, _PEOPLE, Better.lower)
def patients_delayed_30_days(g: Columns) -> float:
    """Cases that waited 30 days or more beyond their target, per 100,000 inhabitants and year.

    No value where no case is followed for so long; a lower bound where some are not.
    """
    return _delayed_by(g, 30.0)


@measure(_CARE, _PEOPLE, Better.lower)
def patients_delayed_90_days(g: Columns) -> float:
    """Cases that waited 90 days or more beyond their target, per 100,000 inhabitants and year.

    No value where no case is followed for so long; a lower bound where some are not.
    """
    return _delayed_by(g, 90.0)
