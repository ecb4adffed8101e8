"""Words and hours that the SimPy sides of the speed comparison have in common."""

# ruff: noqa: ANN001, ANN201, ANN204
# fmt: off
from itertools import count

from flowsim.vocabulary import Channel, Event, State

CREATED, AUTHORED, SENT, HELD, RELAYED, RECEIPT, RECEIVED, ANSWER = (int(e) for e in (
    Event.created, Event.authored, Event.sent, Event.relay_in, Event.relay_out, Event.transport_receipt,
    Event.received, Event.application_receipt))
LISTED, TAKEN, DONE, FOUND, RESENT, REJECTED, ABANDONED, MILESTONE, CLOSED = (int(e) for e in (
    Event.listed, Event.taken, Event.done, Event.found, Event.resent, Event.rejected, Event.abandoned,
    Event.milestone, Event.closed))
MOVING, TOLD, SILENT, SEEN = int(State.moving), int(State.told), int(State.silent), int(State.seen)
PLATFORM, EDI, LETTER = int(Channel.platform), int(Channel.edi), int(Channel.letter)
WRITE, REFER, _ASSESS, ASSESSED, TELL, SUMMON, _WAIT, VISIT, CARE, REPORT = range(10)
PATIENTS, RATE, TRIES, GAP, WEEK = 120, 0.06, 3, 12, 168  # practices are 0-59, intake 60-89, clinics 90-119

def next_open(now):
    """Return the first office hour (08-16, Monday to Friday) from now on; hour 0 is a Monday's."""
    day, hour = divmod(now, 24)
    if day % 7 < 5 and 8 <= hour < 16:
        return now
    day += hour >= 16
    return (day if day % 7 < 5 else day + 7 - day % 7) * 24 + 8

class Item:
    """What a row tells of: a message from one service to another (delivery above 0), or a task."""

    __slots__ = ("attempt", "case", "channel", "delivery", "sender", "state", "step", "to")

    def __init__(self, case, step, delivery=0, sender=-1, to=-1, channel=0):
        self.case, self.step, self.delivery, self.sender, self.to = case, step, delivery, sender, to
        self.channel, self.attempt, self.state = channel, 1, MOVING if delivery else 0

def arrivals(model, per_hour):
    """Begin cases in office hours, at any moment alike."""
    for case in count():
        yield model.env.timeout(model.rng.expovariate(per_hour))
        if (at := next_open(model.env.now)) > model.env.now:  # the rest of the gap is drawn anew
            yield model.env.timeout(at + model.rng.expovariate(per_hour) - model.env.now)
        model.env.process(model.referral(case, model.rng.randrange(60), 60 + model.rng.randrange(30)))

def world(model):
    """Sweep the lists each hour, let practices join, and take the broker down once."""
    for hour in count(1):
        yield model.env.timeout(1)
        sum(len(staff.queue) for staff in model.lists)
        model.joined = 15 * min(1 + hour // (2 * WEEK), 3)
        if hour == 17 * 24 + 9:
            model.restored = model.env.event()
        elif hour == 17 * 24 + 13:
            model.restored.succeed()
            model.restored = None
