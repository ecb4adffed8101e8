"""Result tables of a small made-up experiment, and the catalogue's economics, for tests that read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from flowsim.catalogue import catalogue_path
from flowsim.config.documents import Document
from flowsim.config.economics_file import EconomicsFile
from flowsim.config.loading import load_yaml, validate
from flowsim.economics import Tables, economics_tables
from flowsim.vocabulary import SUMMARY_COLUMNS

#: Scenario, practices on the platform of 40, and whether municipality and hospital are on it.
WORLDS: Final = (("before", 0, 0), ("as it was", 2, 1), ("all join", 40, 1), ("stay apart", 0, 0))
INHABITANTS: Final = 106_000
BEFORE: Final = {"scenario.name": "before"}
#: Hours a year for the made-up region by measure and party.
HOURS: Final = {
    ("staff_hours_searching", "gp"): 10_000.0,
    ("staff_hours_searching", "hospital"): 20_000.0,
    ("staff_hours_searching", "municipality"): 5_000.0,
    ("staff_hours_chasing", "gp"): 3_000.0,
    ("staff_hours_doing_again", "municipality"): 1_000.0,
    ("staff_hours_training", "gp"): 400.0,
}
#: What each world multiplies search, chasing and doing again with.
FACTORS: Final = {"before": 1.0, "as it was": 0.98, "all join": 0.8, "stay apart": 0.95}


def settings(**changes: Any) -> EconomicsFile:
    """Return the catalogue's economics with some settings changed; in names __ stands for a dot."""
    document: Document = load_yaml(catalogue_path("economics", "economics"))
    for name, value in changes.items():
        document = document.put(name.replace("__", "."), value)
    return validate(document, EconomicsFile)


def scenarios(rates: Sequence[str] = ()) -> pd.DataFrame:
    """Return the scenarios table: the worlds, or each of them under each rate set."""
    rows = [
        {
            "scenario": f"{name}, rates={r}" if r else name,
            "scenario.name": name,
            **({"rates": r} if r else {}),
            "practices_on_platform": on,
            "practices_total": 40,
            "municipality_on_platform": joined,
            "hospital_on_platform": joined,
            "inhabitants": INHABITANTS,
        }
        for name, on, joined in WORLDS
        for r in (rates or ("",))
    ]
    return pd.DataFrame(rows)


def summary(
    table: pd.DataFrame,
    measures: Sequence[str] = (*sorted({m for m, _ in HOURS}), "discharge_waiting_days"),
    replications: int = 2,
    factors: Mapping[str, float] = FACTORS,
) -> pd.DataFrame:
    """Return a tidy summary in which worlds differ in staff hours, with no luck in the differences."""
    rows: list[tuple[Any, ...]] = []
    for row in table.to_dict("records"):
        name, factor = str(row["scenario"]), factors[row["scenario.name"]]
        for number in range(1, replications + 1):
            for (measure, party), hours in HOURS.items():
                if measure in measures:
                    of = hours if measure == "staff_hours_training" else hours * factor
                    rows.append((name, number, measure, f"party={party}", of, "hours a year"))
            if "discharge_waiting_days" in measures:
                rows.append((name, number, "discharge_waiting_days", "", 1_000.0, "days a year"))
            if "consultations_displaced" in measures:
                rows.append((name, number, "consultations_displaced", "", 77.0, "a year"))
            rows.append((name, number, "referrals_created", "", 9.0, "deliveries"))
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def tables(file: EconomicsFile | None = None, **more: Any) -> Tables:
    """Return the economics of the made-up experiment, each world against the one before."""
    given = settings() if file is None else file
    table = more.pop("scenarios", None)
    table = scenarios() if table is None else table
    found = more.pop("summary", None)
    rule = more.pop("rule", BEFORE)
    by_scenario = dict.fromkeys(table["scenario"], given)
    return economics_tables(summary(table) if found is None else found, table, by_scenario, rule, **more)


def amount(
    found: Tables, scenario: str, payer: str, item: str, form: str = "", column: str = "value"
) -> float:
    """Return one number of the table of cost and benefit."""
    table = found.economics
    here = (table["scenario"] == scenario) & (table["payer"] == payer)
    here &= (table["item"] == item) & (table["form"] == form)
    (value,) = table[here][column]
    return float(value)
