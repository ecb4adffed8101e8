"""Charts: one file a family; each takes result frames and gives a figure and the frame it drew from."""

from flowsim.charts.adoption import adoption
from flowsim.charts.backlog import backlog
from flowsim.charts.delivery_delay import delivery_delay
from flowsim.charts.stages import stages
from flowsim.charts.style import Chart, load, save, title_of
from flowsim.charts.time_to_care import time_to_care

__all__ = [
    "Chart",
    "adoption",
    "backlog",
    "delivery_delay",
    "load",
    "save",
    "stages",
    "time_to_care",
    "title_of",
]
