"""Channels, faults and ways back as the kernel reads them, with the rate set applied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.config.catalogue_file import ChannelSettings, FaultSettings
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
    WAYS,
)
from flowsim.plan.services import Builder, fill_resend
from flowsim.vocabulary import Channel, Fault, FoundBy, MessageKind

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


def fault_rates(build: Builder) -> NDArray[np.float64]:
    """Return the rate of each channel × message × fault, flat: base × kind × rate set, at most 1."""
    design = build.design
    out = np.zeros((CHANNELS, MESSAGES, FAULTS))
    if not design.faults_off:
        factors = rate_set(build)
        for name, settings in design.faults.faults.items():
            fault = Fault[name]
            for channel in settings.channels:
                factor = factors.get(channel, {}).get(name, 1.0) * design.faults.everywhere
                for kind in MessageKind:
                    out[Channel[channel], kind, fault] = rate_of(settings, kind.name) * factor
    return np.minimum(out, 1.0).ravel()


def rate_of(settings: FaultSettings, kind: str) -> float:
    """Return a fault's base rate for a kind of message."""
    return settings.rate.value * settings.messages.get(kind, 1.0)


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
    mask = np.zeros(FAULTS, np.int64)
    for name, settings in faults.faults.items():
        for way in settings.found_by:
            mask[Fault[name]] |= 1 << int(FoundBy[way])
    chance = np.zeros((WAYS, MESSAGES))
    delay = np.full(WAYS, -1, np.int64)
    for way_name, found in faults.found_by.items():
        row = FoundBy[way_name]
        delay[row] = build.distribution(found.delay)
        for kind in MessageKind:
            if not found.messages or kind.name in found.messages:
                chance[row, kind] = found.chance.value
    return mask, chance.ravel(), delay
