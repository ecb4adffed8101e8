"""Channels, faults and ways back as the kernel reads them, with the rate set applied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.config.catalogue_file import ChannelSettings, FaultSettings
from flowsim.config.pathway_file import Send
from flowsim.errors import Fault as FileFault
from flowsim.errors import FaultsInFile, did_you_mean
from flowsim.plan.layout import (
    CHANNEL,
    CHANNELS,
    FAULTS,
    MESSAGES,
    RECEIPTS_BOTH,
    RECEIPTS_NONE,
    RECEIPTS_TRANSPORT,
    URGENCIES,
    WAYS,
)
from flowsim.plan.levers import lifted_ways
from flowsim.plan.services import Builder, fill_resend
from flowsim.plan.steps import Steps
from flowsim.vocabulary import Channel, Fault, FoundBy, MessageKind, Urgency

_RECEIPTS = {"none": RECEIPTS_NONE, "transport": RECEIPTS_TRANSPORT, "both": RECEIPTS_BOTH}


def channel_array(build: Builder) -> NDArray[Any]:
    """Return CHANNEL records; with faults off no try and no receipt is lost."""
    out = np.zeros(CHANNELS, CHANNEL)
    out["latency"] = out["receipt_limit"] = -1
    out["search_factor"] = 1.0
    for name, settings in build.design.channels.channels.items():
        _fill(build, out[Channel[name]], settings)
    return out


def _fill(build: Builder, row: Any, settings: ChannelSettings) -> None:
    """Write one channel's record."""
    off = build.design.faults_off
    row["latency"] = build.distribution(settings.latency)
    row["receipts"] = _RECEIPTS[settings.receipts]
    row["attempt_loss"] = 0.0 if off else settings.attempt_loss.value
    row["receipt_loss"] = 0.0 if off else settings.receipt_loss.value
    row["receipt_watch"] = settings.receipt_watch.value
    row["receipt_limit"] = build.distribution(settings.receipt_limit)
    row["search_factor"] = settings.search_factor
    if settings.resend is not None:
        fill_resend(row, settings.resend)


def fault_rates(build: Builder, steps: Steps) -> NDArray[np.float64]:
    """Return the rate of each step × channel × fault, flat: base × kind × template × rate set, at most 1.

    Steps that send nothing have none. The place of no fault has the highest rate of the others.
    """
    design = build.design
    out = np.zeros((len(steps.rows), CHANNELS, FAULTS))
    factors = {} if design.faults_off else rate_set(build)
    faults = {} if design.faults_off else design.faults.faults
    for number, (_, step) in enumerate(steps.names):
        if not isinstance(step, Send):
            continue
        for name, settings in faults.items():
            for channel in settings.channels:
                factor = factors.get(channel, {}).get(name, 1.0) * design.faults.everywhere
                out[number, Channel[channel], Fault[name]] = rate_of(settings, step) * factor
    # The place of "no fault" has the highest of them, for a quick look.
    out[:, :, Fault.none] = out.max(axis=2)
    return np.minimum(out, 1.0).ravel()


def rate_of(settings: FaultSettings, step: Send) -> float:
    """Return a fault's base rate for what a step sends: by its kind of message and its template."""
    if settings.only and step.message not in settings.only:
        return 0.0
    return (
        settings.rate.value
        * settings.messages.get(step.message, 1.0)
        * settings.templates.get(step.template, 1.0)
    )


def rate_set(build: Builder) -> dict[Any, dict[Any, float]]:
    """Return the factors of the design's rate set; raise FaultsInFile where there is no such set."""
    sets = build.design.faults.rate_sets
    name = build.design.rates
    if name in sets:
        return dict(sets[name])
    if name == "equal":
        return {}
    message = f"'{name}' is not a rate set of the faults file."
    raise FaultsInFile([FileFault("rates", None, "rates", message, did_you_mean(name, [*sets]))])


def found_ways(build: Builder) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the ways of each fault (bits), the chance of each way × message, and the delay of each way."""
    faults = build.design.faults
    lifted = lifted_ways(build.design)
    mask = np.zeros(FAULTS, np.int64)
    for name, settings in faults.faults.items():
        for way in settings.found_by:
            mask[Fault[name]] |= 1 << int(FoundBy[way])
    chance = np.zeros((WAYS, MESSAGES, URGENCIES))
    delay = np.full(WAYS, -1, np.int64)
    for way_name, found in faults.found_by.items():
        row = FoundBy[way_name]
        delay[row] = build.distribution(found.delay)
        urgencies = [u for u in Urgency if not found.urgency or u.name in found.urgency]
        for kind in MessageKind:
            if not found.messages or kind.name in found.messages:
                chance[row, kind, urgencies] = max(found.chance.value, lifted.get(way_name, 0.0))
    return mask, chance.ravel(), delay
