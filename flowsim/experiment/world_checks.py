"""Whether the settings of roll-out, defects, people and outages fit the region, the pathways and the run.

One small generator a question; each gives path, what is wrong, and what mends it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from flowsim.config.documents import DataPath
from flowsim.config.experiment_file import Design
from flowsim.config.pathway_file import Send
from flowsim.errors import UsageError, did_you_mean
from flowsim.topology import Region, joining_order, practices_at

#: Path, what is wrong, what mends it.
Finding = tuple[DataPath, str, str]
_TOGETHER = "Nobody would ever go live; ask for fewer, or let more join."


def world_findings(design: Design, region: Region) -> Iterator[Finding]:
    """Give every reason why what the world is to do cannot be done as it is written."""
    for check in (_dates, _members, _levels, _enough_join, _defects, _calendars, _levers, _nobody_left):
        yield from check(design, region)


def view_warnings(design: Design, region: Region) -> Iterator[Finding]:
    """Give what an analyst should know of a view that does not say what happens in the run."""
    moves = goes_live_inside(design, region) or design.adoption.leave_per_year.value > 0.0
    if design.view == "settled" and moves:
        message = "The view is settled, but somebody goes live or leaves inside the run."
        yield ("view",), message, "Write view: transition, so that every chart says so."


def latent_warnings(design: Design, region: Region) -> Iterator[Finding]:
    """Give the reason why no latent defect can come about or hit anything, if there is one."""
    latent = design.defects.latent
    if not latent:
        return
    kinds = {step.message for step in sends(design)}
    if not goes_live_inside(design, region):
        message = "Latent defects come with go-lives inside the run, and nobody goes live in it."
        yield ("defects", "latent"), message, "Let somebody go live (view: transition, waves, go_live)."
    elif not any(kinds & set(kind.messages) for kind in latent):
        yield ("defects", "latent"), "No latent defect hits a message that a pathway here sends.", ""


def sends(design: Design) -> list[Send]:
    """Return every step of a design's pathways that sends a message."""
    return [step for pathway in design.pathways.values() for step in pathway.steps if isinstance(step, Send)]


def end_of(design: Design) -> dt.datetime:
    """Return the instant at which a run ends."""
    hours = design.warm_up.hours + design.observe.hours + design.follow_up.hours
    return dt.datetime.combine(design.start, dt.time()) + dt.timedelta(hours=hours)


def joiners(design: Design, region: Region) -> int | None:
    """Return how many practices go live inside the run; None where a curve decides."""
    adoption = design.adoption
    if adoption.diffusion is not None:
        return None
    order = joining_order(region, adoption.order, design.order_seed)
    now = practices_at(adoption.level_at_start(design.view), order, region)
    if not adoption.go_live:
        return len(practices_at(adoption.gp_practices, order, region) - now)
    number = 0
    for change in sorted(adoption.go_live, key=lambda change: change.on):
        if change.gp_practices is not None:
            level = practices_at(change.gp_practices, order, region)
            number += len(level - now)
            now = level
    return number


def goes_live_inside(design: Design, region: Region) -> bool:
    """Return whether anybody goes live on the platform inside the run, or leaves it by date."""
    adoption = design.adoption
    return adoption.diffusion is not None or bool(adoption.go_live) or bool(joiners(design, region))


def _dates(design: Design, _region: Region) -> Iterator[Finding]:
    """Find days and instants outside the run."""
    start, end = dt.datetime.combine(design.start, dt.time()), end_of(design)
    given: list[tuple[DataPath, str, dt.date | dt.datetime]] = [
        (("adoption", "go_live", i, "on"), "go-live", change.on)
        for i, change in enumerate(design.adoption.go_live)
    ]
    given += [
        (("defects", "known", i, "begins"), f"defect '{known.id}'", known.begins)
        for i, known in enumerate(design.defects.known)
    ]
    given += [
        (("outages", i, "at"), "outage", outage.at) for i, outage in enumerate(design.outages) if outage.at
    ]
    for path, what, day in given:
        at = day if isinstance(day, dt.datetime) else dt.datetime.combine(day, dt.time())
        if not start <= at < end:
            where = "before the start" if at < start else "after the end"
            last = (end - dt.timedelta(seconds=1)).date()
            yield (
                path,
                f"The {what} on {day} is {where} of the run.",
                f"The run is from {design.start} to {last}.",
            )


def _members(design: Design, region: Region) -> Iterator[Finding]:
    """Find organisations in go-lives that are unknown, there already, or not there to leave."""
    adoption = design.adoption
    known = [organisation.id for organisation in region.topology.organisations]
    practices = [practice.id for practice in region.practices]
    named = adoption.organisations
    on = {o.id for o in region.topology.organisations if (o.on_platform if named is None else o.id in named)}
    order = sorted(range(len(adoption.go_live)), key=lambda i: adoption.go_live[i].on)
    for i in order:
        change = adoption.go_live[i]
        for key, joins in (("organisations", True), ("leave", False)):
            for j, name in enumerate(getattr(change, key)):
                path: DataPath = ("adoption", "go_live", i, key, j)
                if name in practices:
                    yield path, f"'{name}' is a practice.", "Practices join and leave by gp_practices."
                elif name not in known:
                    yield path, f"There is no organisation '{name}'.", did_you_mean(name, known)
                elif joins and name in on:
                    hint = "Take it out here, or write adoption.organisations without it."
                    yield path, f"'{name}' is on the platform already on {change.on}.", hint
                elif not joins and name not in on:
                    hint = did_you_mean("", sorted(on)).replace("Known here", "On it")
                    yield path, f"'{name}' is not on the platform on {change.on} and cannot leave it.", hint
                else:
                    on.symmetric_difference_update({name})


def _levels(design: Design, region: Region) -> Iterator[Finding]:
    """Find a roll-out that begins above the level to which it leads."""
    adoption = design.adoption
    if not adoption.rolls_out(design.view):
        return
    order = joining_order(region, adoption.order, design.order_seed)
    try:
        before = practices_at(adoption.before, order, region)
        after = practices_at(adoption.gp_practices, order, region)
    except UsageError:
        return  # told elsewhere
    if before - after:
        message = (
            f"The roll-out begins with {_many(len(before))} (before) that "
            f"{'is' if len(before - after) == 1 else 'are'} not all among the {len(after)} of gp_practices."
        )
        yield ("adoption", "before"), message, "Let before be at most gp_practices, in the same order."


def _many(number: int) -> str:
    return f"{number} practice{'' if number == 1 else 's'}"


def _enough_join(design: Design, region: Region) -> Iterator[Finding]:
    """Find practices that wait for more others than there are."""
    wanted = design.adoption.together
    try:
        number = joiners(design, region)
    except UsageError:
        return  # told elsewhere
    if number is None or number == 0:
        return
    if wanted > number:
        message = f"Nobody goes live until {wanted} are ready, but {_many(number)} join inside the run."
        yield ("adoption", "together"), message, _TOGETHER
    for i, name in enumerate(design.use_levers):
        lever = design.levers.levers.get(name)
        for act in lever.acts if lever is not None and lever.strength > 0 else ():
            if act.on == "together" and act.full > number:
                message = (
                    f"The lever '{name}' waits until {act.full:g} practices are ready, "
                    f"but {_many(number)} join inside the run."
                )
                yield ("use_levers", i), message, _TOGETHER


def _defects(design: Design, region: Region) -> Iterator[Finding]:
    """Find defects that hit nothing: no pathway's message, document, sender or receiver."""
    steps = sends(design)
    kinds = {step.message for step in steps}
    senders = [o.id for o in region.topology.organisations] + [p.id for p in region.practices]
    for i, known in enumerate(design.defects.known):
        path: DataPath = ("defects", "known", i)
        if not kinds & set(known.messages):
            message = f"No pathway here sends what the defect '{known.id}' hits: {', '.join(known.messages)}."
            yield (*path, "messages"), message, did_you_mean(known.messages[0], sorted(kinds))
        if known.sender is not None and known.sender not in senders:
            message = f"There is no organisation or practice '{known.sender}'."
            yield (*path, "sender"), message, did_you_mean(known.sender, senders)
        if known.receiver is not None and not region.candidates(known.receiver):
            keys = [s.key for s in region.services]
            message = f"Nobody in the topology is '{known.receiver}'."
            yield (*path, "receiver"), message, did_you_mean(known.receiver, keys)
    for key in ("known", "latent"):
        for i, hit in enumerate(getattr(design.defects, key)):
            templates = sorted({step.template for step in steps if step.message in hit.messages})
            if hit.template is not None and templates and hit.template not in templates:
                message = f"No pathway here sends {', '.join(hit.messages)} from a template '{hit.template}'."
                yield ("defects", key, i, "template"), message, did_you_mean(hit.template, templates)


def _calendars(design: Design, region: Region) -> Iterator[Finding]:
    """Find opening hours, of escalation levels and of the response team, that the topology does not have."""
    known = ["always", *region.topology.calendars]
    for i, level in enumerate(design.defects.escalation.levels):
        if level.calendar not in known:
            path: DataPath = ("defects", "escalation", "levels", i, "calendar")
            yield (
                path,
                f"The topology has no calendar '{level.calendar}'.",
                did_you_mean(level.calendar, known),
            )
    response = design.response
    if response is None:
        return
    at: DataPath = ("response", "calendar")
    if response.calendar not in known:
        message = f"The topology has no calendar '{response.calendar}'."
        yield at, message, did_you_mean(response.calendar, known)
    elif (
        response.calendar in region.topology.calendars and region.topology.calendars[response.calendar].every
    ):
        message = (
            f"The calendar '{response.calendar}' is a look at intervals, not hours in which people work."
        )
        yield at, message, "Name one with days and hours, or write a topology calendar for the team."


def _levers(design: Design, _region: Region) -> Iterator[Finding]:
    """Find levers that the file does not have, or that are named twice."""
    known = sorted(design.levers.levers)
    for i, name in enumerate(design.use_levers):
        if name not in known:
            yield ("use_levers", i), f"There is no lever '{name}'.", did_you_mean(name, known)
        elif name in design.use_levers[:i]:
            yield ("use_levers", i), f"The lever '{name}' is named twice.", "Once is enough."


def _nobody_left(design: Design, region: Region) -> Iterator[Finding]:
    """Find weeks in which everybody would be away: absence, holidays and training add up to all."""
    people = design.people
    days = [design.start + dt.timedelta(days=d) for d in range((end_of(design).date() - design.start).days)]
    inside = {f"{day:%m-%d}" for day in days}
    for i, holiday in enumerate(people.holidays):
        overlapping = [
            h.away.value
            for h in people.holidays
            if h.first <= holiday.last
            and holiday.first <= h.last
            and any(h.first <= d <= h.last for d in inside)
        ]
        if people.absence.value + sum(overlapping) >= 1.0:
            message = (
                f"Nobody is left from {holiday.first} to {holiday.last}: "
                f"absence {_share(people.absence.value)} and holidays {_share(sum(overlapping))}."
            )
            yield ("people", "holidays", i, "away"), message, "Together they must be below 100 %."
    training = people.learning.training.away.value if people.learning is not None else 0.0
    if training <= 0.0 or not goes_live_inside(design, region):
        return
    holidays = max(
        (h.away.value for h in people.holidays if any(h.first <= d <= h.last for d in inside)), default=0.0
    )
    away = people.absence.value + holidays
    if away < 1.0 <= away + training:
        message = (
            f"Training before a go-live leaves nobody: {_share(training)} on top of "
            f"{_share(away)} away by absence and holidays."
        )
        yield ("people", "learning", "training", "away"), message, "Together they must be below 100 %."


def _share(value: float) -> str:
    return f"{100 * value:.4g} %"
