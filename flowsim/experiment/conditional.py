"""Rare independent loss from its chances instead of its coins: what the fault catalogue says of each path.

What will go wrong with a message by itself is drawn when it is authored, with chances that its step, its
channel and whether it is a copy decide. So the chance that a fault is the first to strike is known for each
delivery, and only what came of it is left to luck (found or not, by the horizon).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flowsim.config.experiment_file import Design
from flowsim.episodes.frames import step_names
from flowsim.journal import RunHeader
from flowsim.plan import Plan
from flowsim.plan.layout import CHANNELS, FAULTS
from flowsim.statistics import Interval, conditional_share, score_interval_of_sum, share_interval
from flowsim.vocabulary import Channel, Fate, Fault

#: Columns of ``conditional_shares.csv``.
CONDITIONAL_COLUMNS: Final = ("scenario", "measure", "coin", "share", "low", "high", "struck", "deliveries")
#: The faults that can lose a message, in the order in which they strike on its way. Those of one place share
#: a draw, or the second is thrown only where the first has not struck.
_ON_THE_WAY: Final = (
    Fault.undelivered,
    Fault.misaddressed,
    Fault.rejected,
    Fault.no_receipt,
    Fault.unwatched,
)
#: A share lost by tries alone that is left out.
_NEGLIGIBLE: Final = 1e-7
FIRST: Final = (Fault.not_emitted, Fault.copy_omitted, *_ON_THE_WAY)
COLUMNS: Final = ["step", "channel", "copy", "kind", "fault", "defect", "fate"]


def has_known_chances(design: Design) -> bool:
    """Return whether the catalogue's rates alone decide which messages these faults strike.

    Not so with defects, levers, outages, changes of address, people who slip more at times, or tries that
    are so few that all of them may be lost: then what strikes depends on when, or on others.
    """
    people, defects, adoption = design.people, design.defects, design.adoption
    slips = people.overload.slips.value > 0 or people.learning is not None
    moves = adoption.rolls_out(design.view) or bool(adoption.go_live) or adoption.diffusion is not None
    others = bool(defects.latent or defects.known or defects.owners or design.use_levers or design.outages)
    return not (slips or moves or others or design.faults.addresses is not None or _tries_run_out(design))


def _tries_run_out(design: Design) -> bool:
    """Return whether resending leaves a share worth speaking of undelivered by lost tries alone."""
    relays = [relay.resend for relay in design.topology.relays if relay.resend is not None]
    for channel in design.channels.channels.values():
        rules = [*relays, *([channel.resend] if channel.resend is not None else [])]
        tries = min((rule.attempts for rule in rules), default=1)
        if channel.attempt_loss.value**tries > _NEGLIGIBLE:
            return True
    return False


def first_chances(plan: Plan, deliveries: pd.DataFrame) -> NDArray[np.float64]:
    """Return the chance that each fault of ``FIRST`` is the first to strike: shape (deliveries, faults)."""
    header = RunHeader.from_dict(plan.header)
    rates = plan.arrays.fault_rate.reshape(-1, CHANNELS, FAULTS)
    step = deliveries["step"].astype(str).map({name: i for i, name in enumerate(step_names(header))})
    channel = deliveries["channel"].astype(str).map({c.name: int(c) for c in Channel})
    own = rates[step.to_numpy(np.int64), channel.to_numpy(np.int64)]
    copies = deliveries["copy"].to_numpy() > 0
    emitted = [own[:, Fault.not_emitted], np.where(copies, own[:, Fault.copy_omitted], 0.0)]
    left = 1.0 - emitted[0] - emitted[1]
    found = list(emitted)
    for fault in _ON_THE_WAY:
        found.append(left * own[:, fault])
        left = left * (1.0 - own[:, fault])
    return np.column_stack(found)


def lost_given_path(
    plan: Plan, deliveries: Sequence[pd.DataFrame], referrals: bool, level: float = 0.95
) -> tuple[Interval, int]:
    """Return the share lost from known chances, over all replications, and how many were struck.

    For each class of fault the mean chance that it strikes first is known, and the part of those struck that
    is lost at the horizon is counted; the share is the sum of the products. What is lost in other ways (a
    task that vanishes from its list) is added as it was counted. The interval is put together from the score
    intervals of the parts (MOVER, Zou and Donner 2008).
    """
    whole = pd.concat([frame[COLUMNS] for frame in deliveries], ignore_index=True)
    if referrals:
        whole = whole[(whole["kind"].astype(str) == "referral") & (whole["copy"] == 0)]
    chances = first_chances(plan, whole)
    lost = (whole["fate"].astype(str) == Fate.lost.name).to_numpy()
    fault = whole["fault"].astype(str).to_numpy()
    parts = [
        conditional_share(chances[:, place], fault == each.name, lost & (fault == each.name), level)
        for place, each in enumerate(FIRST)
        if chances[:, place].any()
    ]
    known = np.isin(fault, [each.name for each in FIRST])
    struck, others = int(known.sum()), int((lost & ~known).sum())
    if others:
        parts.append(share_interval(others, len(whole), level))
    return score_interval_of_sum(parts, len(whole)), struck


def conditional_table(scenario: str, plan: Plan, deliveries: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the shares lost by coin and by chance for one scenario: ``CONDITIONAL_COLUMNS``."""
    rows: list[dict[str, Any]] = []
    for measure, referrals in (("deliveries_lost_share", False), ("referrals_lost_share", True)):
        interval, struck = lost_given_path(plan, deliveries, referrals)
        if interval.n == 0:
            continue
        lost, of = _coin(deliveries, referrals)
        rows.append(
            {
                "scenario": scenario,
                "measure": measure,
                "coin": lost / of,
                "share": interval.mean,
                "low": interval.low,
                "high": interval.high,
                "struck": struck,
                "deliveries": of,
            }
        )
    return pd.DataFrame(rows, columns=list(CONDITIONAL_COLUMNS))


def _coin(deliveries: Sequence[pd.DataFrame], referrals: bool) -> tuple[int, int]:
    """Return how many were lost, of how many."""
    lost, of = 0, 0
    for frame in deliveries:
        part = frame[(frame["kind"].astype(str) == "referral") & (frame["copy"] == 0)] if referrals else frame
        lost += int((part["fate"].astype(str) == Fate.lost.name).sum())
        of += len(part)
    return lost, of
