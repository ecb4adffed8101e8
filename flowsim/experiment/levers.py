"""What the levers of each scenario cost whom: a table beside the results."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from flowsim.config.compose import Study
from flowsim.economics.worlds import LEVER_COLUMNS

#: What else the table tells of a lever.
_MORE: Final = ("label", "strength", "starts_after_days", "certainty")


def lever_costs(study: Study) -> pd.DataFrame:
    """Return a row for each scenario, lever that is on in it, and payer; amounts for the whole region.

    Columns: scenario, lever, payer, hours_per_year, money_per_year, money_once (NOK), label, strength (the
    share of the full effect), starts_after_days, certainty.
    """
    rows: list[dict[str, Any]] = []
    for point in study.points:
        for name in point.design.use_levers:
            lever = point.design.levers.levers[name]
            basis = lever.basis or point.design.levers.basis
            rows += [
                {
                    "scenario": point.name,
                    "lever": name,
                    "payer": cost.payer,
                    "hours_per_year": cost.hours_per_year,
                    "money_per_year": cost.money_per_year,
                    "money_once": cost.money_once,
                    "label": lever.label,
                    "strength": lever.strength,
                    "starts_after_days": lever.start_up.hours / 24.0,
                    "certainty": str(basis.certainty),
                }
                for cost in lever.costs
            ]
    return pd.DataFrame(rows, columns=[*LEVER_COLUMNS, *_MORE])
