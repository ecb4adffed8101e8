"""Writes out what a topology file states by rule: pure data to data, always the same."""

from __future__ import annotations

import math
from hashlib import blake2b
from statistics import NormalDist
from typing import Any

from flowsim.config.topology_file import (
    MunicipalityGroup,
    Organisation,
    Practice,
    PracticeGroup,
    Service,
    ServiceRule,
    TopologyFile,
)


def expand(topology: TopologyFile) -> TopologyFile:
    """Return the topology with everything that its ``generate`` block stands for written out.

    Generated municipalities come after the file's organisations, generated practices after its
    practices. Sizes are the quantiles of a lognormal, dealt out by a hash of the seed and each id, so
    their spread is exact and their sums are the ones stated. A topology without the block is returned
    as it is.
    """
    rules = topology.generate
    if rules is None:
        return topology
    organisations = list(topology.organisations)
    practices = list(topology.practices)
    for group in rules.practices:
        practices.extend(_practices(group, rules.seed))
    for municipalities in rules.municipalities:
        made = _municipalities(municipalities, rules.seed)
        organisations = [_serving(o, municipalities, made) for o in organisations]
        organisations.extend(made)
        for municipality in made:
            practices.extend(_practices(_practice_group(municipalities, municipality), rules.seed))
    return topology.model_copy(
        update={"organisations": tuple(organisations), "practices": tuple(practices), "generate": None}
    )


def sizes(total: int, ids: list[str], spread: float, smallest: int, seed: int) -> list[int]:
    """Return unequal whole numbers, one an id, that add up to a total.

    Each has at least ``smallest``; what is above it follows a lognormal with ``spread`` as standard
    deviation of the logarithm.
    """
    return share_out(total, _weights(ids, spread, seed), smallest)


def share_out(total: int, weights: list[float], smallest: int) -> list[int]:
    """Return whole numbers in proportion to weights that add up to a total (largest remainders)."""
    left = total - smallest * len(weights)
    if left < 0:
        raise ValueError(f"{len(weights)} of at least {smallest} are more than {total}")
    exact = [left * w / sum(weights) for w in weights]
    whole = [math.floor(x) for x in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_remainder[: left - sum(whole)]:
        whole[i] += 1
    return [smallest + x for x in whole]


def _weights(ids: list[str], spread: float, seed: int) -> list[float]:
    """Return the quantiles of a lognormal, dealt out to the ids by their hash."""
    order = sorted(range(len(ids)), key=lambda i: blake2b(f"{seed}:{ids[i]}".encode()).digest())
    weights = [0.0] * len(ids)
    for rank, i in enumerate(order):
        weights[i] = math.exp(spread * NormalDist().inv_cdf((rank + 0.5) / len(ids)))
    return weights


def _numbered(prefix: str, number: int) -> list[str]:
    width = max(2, len(str(number)))
    return [f"{prefix}_{i:0{width}d}" for i in range(1, number + 1)]


def _practices(group: PracticeGroup, seed: int) -> list[Practice]:
    ids = _numbered(group.id, group.number)
    gps = sizes(group.gps, ids, group.spread, 1, seed)
    per_gp = _weights([f"{i}/list" for i in ids], group.list_spread, seed)
    patients = share_out(group.patients, [g * w for g, w in zip(gps, per_gp, strict=True)], 1)
    return [
        Practice(
            id=identifier,
            label=f"{group.label} {identifier.rsplit('_', 1)[1]}",
            gps=gps[i],
            patients=patients[i],
            municipality=group.municipality,
            outside=group.outside,
        )
        for i, identifier in enumerate(ids)
    ]


def _municipalities(group: MunicipalityGroup, seed: int) -> list[Organisation]:
    ids = _numbered(group.id, group.number)
    inhabitants = sizes(group.inhabitants, ids, group.spread, group.smallest, seed)
    largest = sorted(range(len(ids)), key=lambda i: (-inhabitants[i], i))[: group.on_platform]
    made = []
    for i, identifier in enumerate(ids):
        label = f"{group.label} {identifier.rsplit('_', 1)[1]}"
        services = [s for rule in group.services for s in _services(rule, inhabitants[i], label)]
        made.append(
            Organisation(
                id=identifier,
                label=label,
                kind="municipality",
                on_platform=i in largest,
                message_client=group.message_client,
                inhabitants=inhabitants[i],
                error_queue=group.error_queue,
                services=tuple(services),
                basis=group.basis,
            )
        )
    return made


def _services(rule: ServiceRule, inhabitants: int, municipality: str) -> list[Service]:
    """Return a municipality's services of one rule: one, or one for each district."""
    districts = 1
    if rule.inhabitants_per_district is not None:
        districts = max(1, round(inhabitants / rule.inhabitants_per_district))
    each = inhabitants / districts
    common: dict[str, Any] = {
        "kind": rule.kind,
        "calendar": rule.calendar,
        "address": rule.address,
        "staff": max(1, math.ceil(each / rule.inhabitants_per_staff)),
    }
    if rule.inhabitants_per_place is not None:
        common["places"] = max(1, math.ceil(each / rule.inhabitants_per_place))
    label = f"{municipality}: {rule.label or rule.id}"
    if districts == 1:
        return [Service(id=rule.id, label=label, **common)]
    return [
        Service(id=f"{rule.id}_{d}", label=f"{label} {d}", area=f"district_{d}", **common)
        for d in range(1, districts + 1)
    ]


def _serving(organisation: Organisation, group: MunicipalityGroup, made: list[Organisation]) -> Organisation:
    if organisation.id not in group.served_by:
        return organisation
    return organisation.model_copy(update={"serves": organisation.serves + tuple(m.id for m in made)})


def _practice_group(group: MunicipalityGroup, municipality: Organisation) -> PracticeGroup:
    """Return the practices of a generated municipality: all inhabitants are listed there."""
    inhabitants = municipality.inhabitants or 1
    gps = max(1, round(inhabitants * group.gps_per_1000 / 1000))
    return PracticeGroup(
        municipality=municipality.id,
        id=f"{municipality.id}_practice",
        label=f"{municipality.label}, practice",
        number=min(gps, max(1, round(gps / group.gps_per_practice))),
        gps=gps,
        patients=inhabitants,
        spread=group.spread_of_practices,
    )
