"""Which faults a monitor owes an alert: those that lasted beyond the limit of rules that point at them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flowsim.monitor.matching import Matcher
from flowsim.monitor.rules import Pattern, Rule
from flowsim.observe.directory import Directory
from flowsim.units import Duration, WorkingDays
from flowsim.vocabulary import Fault, RuleKind

#: Kinds whose limit is a wait. What the others remember for so long is no time that a fault must last.
WAITING: Final = frozenset([RuleKind.response, RuleKind.idle])


def due_times(
    items: pd.DataFrame, rules: Sequence[Rule], directory: Directory, days: WorkingDays
) -> NDArray[np.float64]:
    """Return the hour at which each fault becomes due: a monitor with these rules should know of it then.

    The limit counts from ``began``. It is the shortest of the rules that point at the class and speak of
    such a message: the hard limits, or the soft ones where no rule of the class has a hard one. Where none
    of them speaks of such a message, it is the shortest of the class. A class that no rule points at is due
    at once, so that it counts. A fault that was over by then (``ended``) is never due: infinite.
    ``items`` is the truth's frame with ``fault, sender, intended, message, channel, template, urgency,
    began, ended``.
    """
    began = items["began"].to_numpy(np.float64)
    due = began.copy()
    for fault in items["fault"].unique():
        mine = np.flatnonzero((items["fault"] == fault).to_numpy())
        pointing = _with_limits(rule for rule in rules if Fault[fault] in rule.guess)
        if not pointing:
            continue
        part = items.iloc[mine]
        fitting, any_rule = np.full(len(mine), np.inf), np.full(len(mine), np.inf)
        for rule, limit in pointing:
            at = days.add(began[mine] + limit.hours, limit.working_days)
            any_rule = np.minimum(any_rule, at)
            fitting = np.where(fits(rule.when, part, directory), np.minimum(fitting, at), fitting)
        due[mine] = np.where(np.isfinite(fitting), fitting, any_rule)
    return np.where(items["ended"].to_numpy(np.float64) > due, due, np.inf)


def spoken_of(items: pd.DataFrame, rules: Sequence[Rule], directory: Directory) -> NDArray[np.bool_]:
    """Return for each fault whether any of the rules points at its class and speaks of such a message."""
    found = np.zeros(len(items), bool)
    faults = items["fault"].to_numpy()
    for rule in rules:
        if rule.guess:
            mine = np.isin(faults, [fault.name for fault in rule.guess]) & ~found
            found[mine] = fits(rule.when, items[mine], directory)
    return found


def fits(pattern: Pattern, items: pd.DataFrame, directory: Directory) -> NDArray[np.bool_]:
    """Return for each fault whether a pattern speaks of such a message, between such ends."""
    names = {"message", "channel", "urgency", "template", "sender"}
    columns = {name: items[name].to_numpy(np.int64) for name in names}
    return Matcher(pattern, directory).fits({**columns, "receiver": items["intended"].to_numpy(np.int64)})


def _with_limits(rules: Iterable[Rule]) -> list[tuple[Rule, Duration]]:
    """Return the rules with a hard limit, or all where none has one, each with how long a fault must last."""
    pointing = list(rules)
    # A change of rate is a soft alert, whatever its hard limit counts as a failure.
    hard = [rule for rule in pointing if rule.hard is not None and rule.kind != RuleKind.rate_change]
    chosen = [(rule, rule.hard or rule.soft or Duration()) for rule in hard or pointing]
    return [(rule, limit if rule.kind in WAITING else Duration()) for rule, limit in chosen]
