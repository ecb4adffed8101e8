"""From the journal to results: one row a case, one row a delivery, and small frames for charts."""

from flowsim.episodes.fold import EpisodesFold
from flowsim.episodes.frames import DIRECTIONS, Episodes
from flowsim.episodes.profiles import DELAY_EDGES_HOURS
from flowsim.episodes.rows import STAGES

__all__ = ["DELAY_EDGES_HOURS", "DIRECTIONS", "STAGES", "Episodes", "EpisodesFold"]
