"""Charts: one file a family; each takes result frames and gives a figure and the frame it drew from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from flowsim.charts.adoption import adoption
from flowsim.charts.adoption import draw as _draw_adoption
from flowsim.charts.backlog import backlog
from flowsim.charts.backlog import draw as _draw_backlog
from flowsim.charts.delivery_delay import delivery_delay
from flowsim.charts.delivery_delay import draw as _draw_delivery_delay
from flowsim.charts.detectability import detectability
from flowsim.charts.detectability import draw as _draw_detectability
from flowsim.charts.discovery import discovery
from flowsim.charts.discovery import draw as _draw_discovery
from flowsim.charts.economics import draw as _draw_economics
from flowsim.charts.economics import economics
from flowsim.charts.stages import draw as _draw_stages
from flowsim.charts.stages import stages
from flowsim.charts.style import Chart, load, save, title_of
from flowsim.charts.time_to_care import draw as _draw_time_to_care
from flowsim.charts.time_to_care import time_to_care
from flowsim.charts.weeks import draw as _draw_weeks
from flowsim.charts.weeks import weeks
from flowsim.labels import Labels, load_labels

__all__ = [
    "DRAW",
    "Chart",
    "adoption",
    "backlog",
    "delivery_delay",
    "detectability",
    "discovery",
    "economics",
    "load",
    "redraw",
    "save",
    "stages",
    "time_to_care",
    "title_of",
    "weeks",
]

#: What draws each family's frame; the names are those of the saved files.
DRAW: Final[dict[str, Callable[[pd.DataFrame, Labels], Figure]]] = {
    "adoption": _draw_adoption,
    "time_to_care": _draw_time_to_care,
    "delivery_delay": _draw_delivery_delay,
    "stages": _draw_stages,
    "backlog": _draw_backlog,
    "weeks": _draw_weeks,
    "economics": _draw_economics,
    "discovery": _draw_discovery,
    "detectability": _draw_detectability,
}


def redraw(family: str, frame: pd.DataFrame, language: str = "en") -> Chart:
    """Draw a saved frame again, in any language; ``frame`` comes from :func:`load`."""
    return Chart(DRAW[family](frame, load_labels(language)), frame)
