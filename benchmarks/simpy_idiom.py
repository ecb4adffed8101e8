"""The referral of benchmarks/referral as SimPy is usually written; its numbers are those of the files there."""

# ruff: noqa: ANN001, ANN201, D102, PLR0913, PLR0917, S311
import math
import random

import simpy

from flowsim.vocabulary import Channel, Event, State

CREATED, AUTHORED, SENT, RELAY_IN, RELAY_OUT, RECEIPT, RECEIVED, ANSWER, LISTED, TAKEN, DONE, FOUND = (
    int(Event[name]) for name in "created authored sent relay_in relay_out transport_receipt received "
    "application_receipt listed taken done found".split())  # fmt: skip
RESENT, REJECTED, ABANDONED, MILESTONE, CLOSED = (
    int(Event[name]) for name in ("resent", "rejected", "abandoned", "milestone", "closed")
)
MOVING, TOLD, SILENT, SEEN = int(State.moving), int(State.told), int(State.silent), int(State.seen)
PLATFORM, EDI, LETTER = int(Channel.platform), int(Channel.edi), int(Channel.letter)
WRITE, REFER, ASSESS, ASSESSED, TELL, SUMMON, _WAIT, VISIT, CARE, REPORT = range(10)
PATIENTS, RATE, TRIES, GAP, WEEK = 120, 0.06, 3, 12, 168  # services: practices 0-59, intake 60-89, clinics 90-119


def next_open(now):
    """Return the first office hour (08-16, Monday to Friday) from now on; hour 0 is a Monday's."""
    day, hour = divmod(now, 24)
    if day % 7 < 5 and 8 <= hour < 16:
        return now
    day += hour >= 16
    return (day if day % 7 < 5 else day + 7 - day % 7) * 24 + 8


class Item:
    """What a row tells of: a message from one service to another (delivery above 0), or a task."""

    def __init__(self, case, step, delivery=0, sender=-1, to=-1, channel=0):
        self.case, self.step, self.delivery, self.sender, self.to = case, step, delivery, sender, to
        self.channel, self.attempt, self.state = channel, 1, MOVING if delivery else 0


class Model:
    """One replication over some weeks; ``rows`` is its journal."""

    def __init__(self, seed, cases_per_day, weeks):
        self.env, self.rng, self.rows, self.deliveries = simpy.Environment(), random.Random(seed), [], 0
        staff = [1] * 90 + [2] * 30 + [10**9]
        self.lists = [simpy.Resource(self.env, n) for n in staff]
        self.errors = [simpy.Resource(self.env, 1) for _ in range(61)]
        self.joined, self.restored, self.threads = 15, None, {}
        for process in (self.arrivals(cases_per_day / 8), self.roll_out(), self.outage(), self.sweep()):
            self.env.process(process)
        self.env.run(weeks * WEEK)

    def row(self, i, event, at, peer=-1, length=0):
        self.rows.append((self.env.now, i.case, i.delivery, i.step, at, peer, length, event, i.channel,
                          i.attempt, i.case % 4, i.to, -1, 0, i.state))  # fmt: skip

    def arrivals(self, per_hour):
        case = 0
        while True:
            opens = next_open(self.env.now)
            at, closes = opens + self.rng.expovariate(per_hour), opens // 24 * 24 + 16
            while at < closes:
                yield self.env.timeout(at - self.env.now)
                self.env.process(self.referral(case, self.rng.randrange(60), 60 + self.rng.randrange(30)))
                case, at = case + 1, at + self.rng.expovariate(per_hour)
            yield self.env.timeout(closes - self.env.now)

    def referral(self, case, gp, pool):
        self.threads[case] = 1
        self.row(Item(case, WRITE), CREATED, gp)
        yield from self.work(Item(case, WRITE), gp, self.lists[gp], 2, 12, 5)
        referral = self.message(case, REFER, gp, pool)
        if not (yield from self.send(referral)):
            return
        yield from self.work(referral, pool, self.lists[pool], 4, 29, 12)
        self.row(Item(case, ASSESSED), MILESTONE, gp)
        self.env.process(self.tell(self.message(case, TELL, pool, gp)))
        self.env.process(self.tell(self.message(case, SUMMON, pool, gp, 1)))
        letter = self.message(case, SUMMON, pool, PATIENTS)
        if not (yield from self.send(letter)):
            return
        yield from self.work(letter, PATIENTS, self.lists[PATIENTS], 1, 3, 2)
        yield self.env.timeout(self.rng.uniform(WEEK, 3 * WEEK))
        yield from self.work(Item(case, VISIT), pool + 30, self.lists[pool + 30], 10, 45, 20)
        self.row(Item(case, CARE), MILESTONE, gp)
        self.env.process(self.tell(self.message(case, REPORT, pool + 30, gp)))
        self.end(case)

    def message(self, case, step, sender, to, copy=0):
        self.threads[case] += step in (TELL, REPORT) or copy
        other = min(sender, to)
        channel = LETTER if to == PATIENTS else PLATFORM if other < self.joined else EDI
        return Item(case, step, (step + 1 << 24) + copy, sender, to, channel)

    def tell(self, m):
        if (yield from self.send(m)):
            yield from self.work(m, m.to, self.lists[m.to], 1, 3, 2)
            self.end(m.case)

    def end(self, case):
        self.threads[case] -= 1
        if not self.threads[case]:
            self.row(Item(case, CARE), CLOSED, self.threads.pop(case))

    def work(self, i, at, staff, low, high, mode):
        self.row(i, LISTED, at, i.sender, len(staff.queue))
        with staff.request() as turn:
            yield turn
            if at != PATIENTS and (opens := next_open(self.env.now)) > self.env.now:
                yield self.env.timeout(opens - self.env.now)
            i.state = SEEN if i.state == MOVING else i.state
            self.row(i, TAKEN, at, i.sender, len(staff.queue))
            yield self.env.timeout(self.rng.triangular(low, high, mode) / 60)
            self.row(i, DONE, at, i.sender, len(staff.queue))

    def send(self, m):
        """Bring a message before its receiver; False if it stays in a silent state."""
        env, rng, edi, letter = self.env, self.rng, m.channel == EDI, m.channel == LETTER
        self.deliveries += 1
        if rng.random() < RATE:
            return (yield from self.stuck(m, AUTHORED))
        self.row(m, AUTHORED, m.sender, m.to)
        if rng.random() < RATE:
            yield env.timeout(rng.uniform(24, 120))
        while True:
            self.row(m, SENT, m.sender, m.to)
            if edi:
                self.row(m, RELAY_OUT, 122, m.sender)
                if self.restored:
                    self.row(m, RELAY_IN, 121, m.sender)
                    yield self.restored
            if not letter:
                self.row(m, RELAY_OUT, 121, m.sender)
            if not edi or rng.random() >= 0.04:
                break
            yield env.timeout(math.ceil(env.now + GAP) - env.now)
            if m.attempt == TRIES:
                return (yield from self.told(m, ABANDONED))
            m.attempt += 1
        low, high, mode = (1440, 7200, 2880) if letter else (1, 20, 3) if edi else (1, 6, 2)
        yield env.timeout(rng.triangular(low, high, mode) / 60)
        if edi:
            self.row(m, RECEIPT, m.sender, m.to)
        rejected = not letter and rng.random() < RATE
        if rejected and not edi:
            return (yield from self.stuck(m, RECEIVED))
        self.row(m, RECEIVED, m.to, m.sender)
        if rejected:
            return (yield from self.told(m, REJECTED))
        if edi:
            self.row(m, ANSWER, m.sender, m.to)
        return (yield from self.stuck(m, LISTED)) if not letter and rng.random() < RATE else True

    def told(self, m, event):
        if self.rng.random() < 0.2:
            return (yield from self.stuck(m, event))
        m.state = TOLD
        self.row(m, event, m.sender, m.to)
        yield from self.work(m, m.sender, self.errors[min(m.sender, 60)], 2, 14, 5)
        return (yield from self.again(m))

    def stuck(self, m, event):
        m.state = SILENT
        self.row(m, event, m.sender, m.to)
        if self.rng.random() >= 0.4:
            return False
        yield self.env.timeout(self.rng.uniform(WEEK, 3 * WEEK))
        m.state = MOVING
        self.row(m, FOUND, m.to, m.sender)
        return (yield from self.again(m))

    def again(self, m):
        m.state = MOVING
        self.row(m, RESENT, m.sender, m.to)
        yield self.env.timeout(self.rng.uniform(2, 48))
        self.row(m, RECEIVED, m.to, m.sender)
        return True

    def roll_out(self):
        for self.joined in (15, 30, 45):
            yield self.env.timeout(2 * WEEK)

    def outage(self):
        yield self.env.timeout(17 * 24 + 9)
        self.restored = self.env.event()
        yield self.env.timeout(4)
        self.restored.succeed()
        self.restored = None

    def sweep(self):
        while True:
            yield self.env.timeout(1)
            sum(len(staff.queue) for staff in self.lists)
