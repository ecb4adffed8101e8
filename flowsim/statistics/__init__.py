"""Intervals, paired differences, replications needed, rare shares, steady state, and survival.

Two kinds of interval, never mixed. The *simulation interval* says how much luck is left in the
replications (columns ``low`` and ``high``). The *assumption range* says how far the answer moves
over sets of assumed rates (columns ``assumption_low`` and ``assumption_high``); more replications
do not narrow it.
"""

from flowsim.statistics.case_pairs import CASE_COLUMNS, case_differences, case_pairs
from flowsim.statistics.comparing import (
    PLAIN_SETTINGS,
    RATES,
    SAME,
    assumption_range,
    baselines,
    compare,
    differences,
    means,
    pairs,
    setting_columns,
)
from flowsim.statistics.intervals import (
    LEVEL,
    Interval,
    critical_t,
    decimals,
    mean_interval,
    rounded,
    share_interval,
)
from flowsim.statistics.many import MANY_COLUMNS, Family, holm, many_comparisons, paired_p
from flowsim.statistics.pairing import (
    LITTLE_GAIN,
    PAIRING_COLUMNS,
    PairedDifference,
    Reason,
    nested_gain,
    paired_difference,
    pairing_gains,
)
from flowsim.statistics.rare import (
    RARE_COLUMNS,
    conditional_share,
    rare_shares,
    score_interval_of_sum,
)
from flowsim.statistics.steady import STEADY_COLUMNS, Settling, mser, settling, weekly
from flowsim.statistics.stopping import convergence, enough, prefix_half_widths
from flowsim.statistics.survival import (
    aalen_johansen,
    aalen_johansen_interval,
    cumulative_incidence,
    cut_off,
    kaplan_meier,
    restricted_mean,
)

__all__ = [
    "CASE_COLUMNS",
    "LEVEL",
    "LITTLE_GAIN",
    "MANY_COLUMNS",
    "PAIRING_COLUMNS",
    "PLAIN_SETTINGS",
    "RARE_COLUMNS",
    "RATES",
    "SAME",
    "STEADY_COLUMNS",
    "Family",
    "Interval",
    "PairedDifference",
    "Reason",
    "Settling",
    "aalen_johansen",
    "aalen_johansen_interval",
    "assumption_range",
    "baselines",
    "case_differences",
    "case_pairs",
    "compare",
    "conditional_share",
    "convergence",
    "critical_t",
    "cumulative_incidence",
    "cut_off",
    "decimals",
    "differences",
    "enough",
    "holm",
    "kaplan_meier",
    "many_comparisons",
    "mean_interval",
    "means",
    "mser",
    "nested_gain",
    "paired_difference",
    "paired_p",
    "pairing_gains",
    "pairs",
    "prefix_half_widths",
    "rare_shares",
    "restricted_mean",
    "rounded",
    "score_interval_of_sum",
    "setting_columns",
    "settling",
    "share_interval",
    "weekly",
]
