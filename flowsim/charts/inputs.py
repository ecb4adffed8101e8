"""What charts read: the one place that knows how result tables look, and which scenario is drawn."""

from __future__ import annotations

from textwrap import shorten
from typing import Any, Final

import numpy as np
import pandas as pd

from flowsim.charts.style import cell
from flowsim.labels import Labels
from flowsim.statistics import RATES, critical_t, setting_columns
from flowsim.units import THIN_SPACE

ADOPTION: Final = "adoption.gp_practices"
EQUAL: Final = "equal"
#: What a chart's view is called that shows both.
BOTH: Final = "both"
REPLICATION: Final = ["scenario", "replication"]

#: Weeks count while at least this share of the most patients is followed.
FOLLOWED_LEAST: Final = 0.5

#: Names of levels within a chart are cut to so many letters; the table beside it has them whole.
NAME_LONGEST: Final = 18

#: Marks the list of those who wait for a bed or slot of a kind of service.
PLACES: Final = "/places"


def levels(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return what each scenario is called on a chart: ``scenario, rates, level, order, practices_share``.

    The level is the adoption setting as the experiment writes it ("25 %"); where that does not tell
    scenarios of one rate set apart, all settings that do; where there are none, or scenarios have names of
    their own ("before"), the scenario's name.
    ``order`` is by practices on the platform, then as listed.
    """
    table = scenarios.reset_index(drop=True)
    names = table["scenario"].astype(str)
    rates = table[RATES].fillna("").astype(str) if RATES in table.columns else names.map(lambda _: "")
    level = _texts(table, [ADOPTION] if ADOPTION in table.columns else [], names)
    if (level + "\0" + rates).duplicated().any():
        varied = [c for c in setting_columns(table) if c != RATES and len(set(table[c].astype(str))) > 1]
        # A grid's names are made of its settings; any other name says more than they do.
        level = _texts(table, varied if names.str.contains("=").all() else [], names)
        if (level + "\0" + rates).duplicated().any():
            level = names
    on, total = (_numbers(table, c) for c in ("practices_on_platform", "practices_total"))
    result = pd.DataFrame({"scenario": names, "rates": rates, "level": level, "practices_share": on / total})
    result["order"] = in_order(level, result["practices_share"])
    return result


def in_order(level: pd.Series[Any], share: pd.Series[Any]) -> pd.Series[int]:
    """Return the place of each level, from 0: by practices on the platform, then as listed."""
    first = share.groupby(level, sort=False).transform("first")
    order = pd.DataFrame({"share": first.fillna(-1.0), "row": pd.factorize(level)[0]})
    return order.apply(tuple, axis=1).rank(method="dense").astype(int) - 1


def _numbers(table: pd.DataFrame, column: str) -> pd.Series[float]:
    missing = pd.Series(np.nan, index=table.index)
    return pd.to_numeric(table[column], errors="coerce") if column in table.columns else missing


def _texts(table: pd.DataFrame, columns: list[str], names: pd.Series[str]) -> pd.Series[str]:
    """Return the settings of each row as one text; the scenario's name where they say nothing."""
    rows = [
        ", ".join(str(value) for value in row if pd.notna(value) and str(value))
        for row in table[columns].itertuples(index=False)
    ]
    return pd.Series([text or name for text, name in zip(rows, names, strict=True)], index=table.index)


def leading_rates(known: pd.DataFrame) -> str:
    """Return the rate set that charts of one set show: ``equal`` where there is one, else the first."""
    sets = list(dict.fromkeys(known["rates"]))
    return EQUAL if EQUAL in sets or not sets else sets[0]


def middle_scenario(known: pd.DataFrame) -> str:
    """Return the scenario of the leading rates nearest to half the practices, where all channels are used."""
    part = known[known["rates"] == leading_rates(known)]
    distance = (part["practices_share"].fillna(0.5) - 0.5).abs()
    return str(part["scenario"].iloc[int(distance.argmin())])


def over_replications(per_replication: pd.DataFrame, keys: list[str], column: str) -> pd.DataFrame:
    """Return mean and 95 % simulation interval of a column over replications: ``mean, low, high, n``."""
    parts = per_replication.groupby(keys, sort=True, observed=True)[column].agg(["mean", "std", "count"])
    half = critical_t(parts["count"]) * parts["std"].to_numpy() / np.sqrt(parts["count"].to_numpy())
    parts["low"], parts["high"] = parts["mean"] - half, parts["mean"] + half
    return parts.rename(columns={"count": "n"}).drop(columns="std").reset_index()


def time_to_care(profile: pd.DataFrame) -> pd.DataFrame:
    """Return the time-to-care profile with ``turned_away`` and ``cases`` on every row."""
    table = profile.copy()
    for name in ("pathway", "urgency"):
        table[name] = table[name].astype(str)
    if "turned_away" not in table.columns:
        table["turned_away"] = 0
    table["cases"] = table[["started", "withdrawn", "turned_away", "not_started"]].sum(axis=1)
    return table


def delivery_delay(profile: pd.DataFrame) -> pd.DataFrame:
    """Return the delay histogram summed over replications: ``kind, channel, outcome, low_hours, …``.

    Deliveries cancelled before anybody could see them are left out.
    """
    table = profile[profile["outcome"].astype(str) != "cancelled"].copy()
    for name in ("kind", "channel", "outcome"):
        table[name] = table[name].astype(str)
    keys = ["kind", "channel", "outcome", "low_hours", "high_hours"]
    return table.groupby(keys, dropna=False)["count"].sum().reset_index()


def stages(profile: pd.DataFrame) -> pd.DataFrame:
    """Return deliveries by stage of failure ("" for none), fault, parties; summed over the rest."""
    table = profile.rename(columns={"stage_failed": "stage"}).copy()
    keys = ["stage", "fault", "sender_party", "receiver_party"]
    return with_texts(table, keys).groupby(keys)["count"].sum().reset_index()


def backlog(profile: pd.DataFrame) -> pd.DataFrame:
    """Return list lengths by scenario, replication, kind of service and day, parties added up.

    Those who wait for a place are a list of their own: their kind ends in ``PLACES``.
    """
    table = profile.rename(columns={"length": "list_length"})
    kind = table["service_kind"].astype(str)
    if "waiting_for" in table:
        kind = kind + np.where(table["waiting_for"].astype(str) == "place", PLACES, "")
    table = table.assign(service_kind=kind)
    keys = [*REPLICATION, "service_kind", "day"]
    return table.groupby(keys, observed=True)["list_length"].sum().reset_index()


def weeks(profile: pd.DataFrame) -> pd.DataFrame:
    """Return what recurs by scenario, replication, pathway and week, a column a measure (missing: has none).

    Weeks in which fewer than half of a pathway's most patients are followed are left out: what is seen then
    is the few who came late. ``go_lives`` is 0 where nobody went live.
    """
    keys = [*REPLICATION, "pathway", "week"]
    table = with_texts(profile, ["pathway"]).groupby([*keys, "measure"], observed=True)["count"].sum()
    wide = table.unstack("measure").reset_index()
    if "cases_followed" not in wide.columns:
        return wide.iloc[:0]
    if "go_lives" not in wide.columns:
        wide["go_lives"] = 0.0
    live = wide.loc[wide["pathway"] == "", [*REPLICATION, "week", "go_lives"]]
    wide = wide[wide["pathway"] != ""].drop(columns="go_lives")
    most = wide.groupby([*REPLICATION, "pathway"])["cases_followed"].transform("max")
    wide = wide[wide["cases_followed"] >= FOLLOWED_LEAST * most]
    return wide.merge(live, on=[*REPLICATION, "week"], how="left").fillna({"go_lives": 0.0})


def with_texts(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return a frame whose named columns are texts, "" where missing; a saved one has gaps instead."""
    texts = {c: frame[c].astype(object).where(frame[c].notna(), "").astype(str) for c in columns}
    return frame.assign(**texts)


def short_level(labels: Labels, level: str) -> str:
    """Return a level as it stands at a line's end or beneath an axis: long names of scenarios are cut."""
    text = labels.level(level)
    return text if len(text) <= NAME_LONGEST else shorten(text, NAME_LONGEST, placeholder="…")


def level_name(labels: Labels, level: str) -> str:
    """Return a level as a title says it: "25 %" becomes "25 % of practices"."""
    text = labels.level(level)
    return labels.text("share_of_practices", share=text) if text.endswith(f"{THIN_SPACE}%") else text


def footer(frame: pd.DataFrame, labels: Labels, cases: float, counted: str) -> str:
    """Return the line beneath a chart: view, basis, how many cases a replication, replications."""
    return labels.text(
        "footer",
        view=labels.word("view", cell(frame, "view")),
        basis=labels.word("basis", cell(frame, "basis")),
        cases=labels.number(cases),
        counted=labels.text(counted),
        replications=labels.number(float(frame["replications"].max())),
    )


def footer_short(frame: pd.DataFrame, labels: Labels) -> str:
    """Return the line beneath a chart that counts no cases: view, basis, replications."""
    return labels.text(
        "footer_short",
        view=labels.word("view", cell(frame, "view")),
        basis=labels.word("basis", cell(frame, "basis")),
        replications=labels.number(float(frame["replications"].max())),
    )


def depends(row: pd.Series[Any]) -> bool:
    """Return whether a row's assumption range says that the direction depends on assumptions."""
    low, high = row["assumption_low"], row["assumption_high"]
    return bool(low <= 0 <= high and low < high)


def largest(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return the first row with the largest value of a column; missing values do not count."""
    values = frame[column].to_numpy(np.float64)
    return frame.iloc[int(np.where(np.isnan(values), -np.inf, values).argmax())]
