"""What really went wrong in a run, which no monitor sees: the measure that alerts are scored against.

A fold over the journal that reads the columns of the truth. ``monitor`` must not import it.
"""

from flowsim.truth.fold import EPISODE_COLUMNS, ITEM_COLUMNS, TOUCHED_COLUMNS, Truth, TruthFold

__all__ = ["EPISODE_COLUMNS", "ITEM_COLUMNS", "TOUCHED_COLUMNS", "Truth", "TruthFold"]
