"""From the journal to results: one row a case, one row a delivery, and small frames for charts."""

from flowsim.episodes.fold import EpisodesFold
from flowsim.episodes.frames import DIRECTIONS, Episodes
from flowsim.episodes.layout import STAGES
from flowsim.episodes.organisation import PURPOSES, Organisation, OrganisationFold
from flowsim.episodes.profiles import DELAY_EDGES_HOURS

__all__ = [
    "DELAY_EDGES_HOURS",
    "DIRECTIONS",
    "PURPOSES",
    "STAGES",
    "Episodes",
    "EpisodesFold",
    "Organisation",
    "OrganisationFold",
]
