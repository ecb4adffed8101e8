"""How every chart looks, and how it is written: sizes, colours, titles, labels at line ends, files.

No pyplot and no process-wide state: each chart is a Figure of its own, drawn and saved inside
:func:`styled`. A saved SVG is the same, byte for byte, from run to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from textwrap import wrap
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter
from scipy.optimize import isotonic_regression

from flowsim.labels import Labels

#: Width of the printed text block, in inches; sizes in points below hold at this width.
WIDTH_INCHES: Final = 7.2
TITLE_POINTS: Final = 12.5
TITLE_POINTS_LEAST: Final = 9.5
TEXT_POINTS: Final = 9.0
TITLE_INCHES: Final = 0.62
FOOTER_INCHES: Final = 0.28
MARGIN_INCHES: Final = 0.12
INK: Final = "#222222"
MUTED: Final = "#5f5f5f"
#: Names longer than this stand in the key, and a letter beside the line; a key's lines are at most so long.
NAME_MOST: Final = 18
KEY_MOST: Final = 104
#: Fewer cases than this are marked in a cell or a row.
FEW: Final = 20
LINE_STYLES: Final[tuple[Any, ...]] = (
    "-",
    (0, (6, 2)),
    (0, (1, 1.2)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1.5)),
    (0, (9, 3)),
)
MARKERS: Final = ("o", "s", "^", "D", "v", "P")
#: The part of the ramp that is dark enough for lines on white (3:1).
_RAMP, _RAMP_PALEST = "plasma", 0.60
_STYLE: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": TEXT_POINTS,
    "axes.titlesize": TEXT_POINTS + 0.5,
    "axes.labelsize": TEXT_POINTS,
    "xtick.labelsize": TEXT_POINTS,
    "ytick.labelsize": TEXT_POINTS,
    "legend.fontsize": TEXT_POINTS,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.unicode_minus": True,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "figure.dpi": 100,
    "savefig.dpi": 170,
    "svg.hashsalt": "flowsim",
    "svg.fonttype": "path",
}
P = ParamSpec("P")
R = TypeVar("R")


class Chart(NamedTuple):
    """A drawn chart and the frame it was drawn from, which is enough to draw it again."""

    figure: Figure
    frame: pd.DataFrame


class End(NamedTuple):
    """A label at a line's end: height in data units, text and colour."""

    y: float
    text: str
    colour: str


def style() -> AbstractContextManager[Any]:
    """Return the context in which charts are drawn and saved; the user's own settings play no part."""
    return matplotlib.style.context(["default", "petroff10", _STYLE])


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function in the project's style."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with style():
            return function(*args, **kwargs)

    return inside


def contrast(colour: str) -> float:
    """Return a colour's contrast with white, 1 to 21 (WCAG 2.1, relative luminance)."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05))


def ramp(count: int) -> list[str]:
    """Return colours for ordered levels, dark to light, none too pale for a line on white."""
    places = np.linspace(0.0, _RAMP_PALEST, count) if count > 1 else [0.0]
    return [to_hex(colormaps[_RAMP](float(place))) for place in places]


def distinct(count: int) -> list[str]:
    """Return colours for unordered things: the petroff set, without those too pale for a line."""
    cycle = matplotlib.style.library["petroff10"]["axes.prop_cycle"].by_key()["color"]
    dark = [str(colour) for colour in cycle if contrast(str(colour)) >= 3]
    return [dark[i % len(dark)] for i in range(count)]


def new_figure(height_inches: float, key_inches: float = 0.0, width_inches: float = WIDTH_INCHES) -> Figure:
    """Return an empty figure that keeps room above for a title and beneath for a key and a footer."""
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    side, bottom = MARGIN_INCHES / width_inches, (FOOTER_INCHES + key_inches) / height_inches
    rect = (side, bottom, 1 - 2 * side, 1 - bottom - TITLE_INCHES / height_inches)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=rect, w_pad=0.04, h_pad=0.04)  # type: ignore[call-arg]
    return figure


def add_title(figure: Figure, text: str) -> None:
    """Write the title in at most two lines over the whole width, in smaller letters if it must be.

    Raises ValueError where even the smallest letters do not fit: a title is never cut off.
    """
    width, height = figure.get_size_inches()
    # A hair less than there is: letters are a little wider at the resolution of a saved picture.
    room = 0.98 * (width - 2 * MARGIN_INCHES) * figure.dpi
    y = 1 - 0.1 / height
    artist = figure.text(MARGIN_INCHES / width, y, text, weight="bold", va="top", linespacing=1.15)
    for points in np.arange(TITLE_POINTS, TITLE_POINTS_LEAST - 0.1, -0.5):
        artist.set_fontsize(float(points))
        for lines in _in_two_lines(text):
            artist.set_text(lines)
            if artist.get_window_extent().width <= room:
                artist.set_gid("title")
                return
    raise ValueError(f"The title does not fit in two lines: {text}")


def _in_two_lines(text: str) -> list[str]:
    """Return the text in one line, then its most even division into two."""
    words = text.split(" ")
    halves = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    evenly = sorted(halves, key=lambda pair: max(len(pair[0]), len(pair[1])))
    return [text, *("\n".join(pair) for pair in evenly[:3])]


def title_of(figure: Figure) -> str:
    """Return a chart's title in one line, for a report's heading or a picture's description."""
    found = [artist.get_text() for artist in figure.texts if artist.get_gid() == "title"]
    return " ".join(found).replace("\n", " ")


def add_footer(figure: Figure, text: str) -> None:
    """Write the line beneath that names view, basis and how much was simulated."""
    width, height = figure.get_size_inches()
    figure.text(MARGIN_INCHES / width, 0.08 / height, text, size=TEXT_POINTS, color=MUTED, va="bottom")


def add_key(figure: Figure, text: str) -> None:
    """Write how the chart is read, in the room that ``key_inches`` kept above the footer."""
    width, height = figure.get_size_inches()
    figure.text(
        MARGIN_INCHES / width, FOOTER_INCHES / height, text, size=TEXT_POINTS, va="bottom", linespacing=1.2
    )


class Mark(NamedTuple):
    """What stands for a level on a crowded chart: its name, or a letter that the key explains."""

    short: str
    name: str


def short_marks(names: Sequence[str]) -> list[Mark]:
    """Return the names themselves, or letters for all where one is too long to stand beside a line."""
    if max((len(name) for name in names), default=0) <= NAME_MOST:
        return [Mark(name, name) for name in names]
    return [Mark(chr(ord("A") + i % 26), name) for i, name in enumerate(names)]


def wrapped_key(marks: Sequence[Mark]) -> list[str]:
    """Return the lines of a key that explains letters; none where names stand for themselves."""
    text = " · ".join(f"{m.short}\N{NO-BREAK SPACE}{m.name}" for m in marks if m.short != m.name)
    return wrap(text, KEY_MOST) if text else []


def localise(axis: Axis, labels: Labels) -> None:
    """Write an axis's numbers as the language does: decimal comma, thin space in thousands."""
    axis.set_major_formatter(_Numbers(labels))


class _Numbers(Formatter):
    """Tick labels with as many decimals as tell the ticks apart."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the texts of all ticks."""
        steps = np.diff(np.sort(values)) if len(values) > 1 else np.array([1.0])
        digits = max(0, -int(np.floor(np.log10(steps.min()) + 1e-9)))
        if not np.allclose(np.round(values, digits), values, atol=steps.min() / 1e6):
            digits += 1
        return [self._labels.number(value, digits) for value in values]

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002  matplotlib's interface
        """Return the text of one number that is no tick."""
        return self._labels.number(x, 3)


def label_ends(axes: Axes, ends: Sequence[End], x: float = 1.0) -> None:
    """Write labels at the right of lines, moved apart where they would overlap.

    ``x`` is where the lines end, as a share of the axis; labels stand outside of it in any case. Call
    it when the limits are final.
    """
    figure = axes.get_figure(root=True)
    if figure is None or not ends:
        return
    figure.draw_without_rendering()
    per_point = figure.dpi / 72
    heights = {end: float(axes.transData.transform((0, end.y))[1]) / per_point for end in ends}
    # Lines that end at nearly the same height keep the order in which they were given.
    ordered = [*ends]
    ordered.reverse()
    ordered.sort(key=lambda end: round(heights[end] / 4))
    at = np.array([heights[end] for end in ordered])
    gap = 1.25 * TEXT_POINTS * np.arange(len(ordered))
    apart = isotonic_regression(at - gap).x + gap
    box = axes.get_window_extent()
    bottom, top = box.y0 / per_point + TEXT_POINTS / 2, box.y1 / per_point
    outside = (1 - x) * box.width / per_point
    apart -= max(0.0, apart[-1] - top)
    apart += max(0.0, bottom - apart[0])
    for end, here, there in zip(ordered, at, apart, strict=True):
        moved = abs(there - here) > 2 or outside > 2
        axes.annotate(
            end.text,
            xy=(x, end.y),
            xycoords=("axes fraction", "data"),
            xytext=(round(outside, 1) + (12 if moved else 5), round(there - here, 1)),
            textcoords="offset points",
            va="center",
            color=end.colour,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": end.colour,
                "lw": 0.7,
                "shrinkA": 1,
                "shrinkB": 1,
                "relpos": (0, 0.5),
            }
            if moved
            else None,
        )


def finished(figure: Figure) -> Figure:
    """Return the figure with its layout fixed, so that it is the same picture each time it is saved.

    The layout solver's last digits change from one figure to the next, and the SVG writer names its
    clips after them; places are therefore rounded, with boundaries where no tidy number lies.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(tuple(round(x + 3.7e-7, 5) for x in axes.get_position().bounds))
    return figure


def save(chart: Chart, folder: Path, name: str) -> list[Path]:
    """Write a chart as ``name``.png, .svg and .csv, and return the three paths.

    The CSV is the frame the chart was drawn from; its ``basis`` column says what the numbers rest on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    png, svg, table = (folder / f"{name}.{ending}" for ending in ("png", "svg", "csv"))
    with style():
        chart.figure.savefig(svg, metadata={"Date": None})
        chart.figure.savefig(png, metadata={"Software": None})
    chart.frame.to_csv(table, index=False, lineterminator="\n")
    return [png, svg, table]


def load(table: Path) -> pd.DataFrame:
    """Return the frame of a saved chart, ready to be drawn again."""
    return pd.read_csv(table)


def cell(frame: pd.DataFrame, column: str, default: str = "") -> str:
    """Return the text that a column holds in every row, "" where it is missing."""
    if column not in frame.columns or frame.empty or pd.isna(frame[column].iloc[0]):
        return default
    return str(frame[column].iloc[0])
