"""The referral of benchmarks/referral as SimPy is usually written; the numbers are those of its files."""

# ruff: noqa: ANN001, ANN002, ANN201, ANN204, C901, D102, F403, F405, D204, I001, PLR0912, S311
# fmt: off
import math
import random
import simpy
from benchmarks.simpy_parts import *

class Model:
    """One replication over some weeks; ``rows`` is its journal."""
    def __init__(self, seed, cases_per_day, weeks):
        self.env, self.rng, self.rows, self.deliveries = simpy.Environment(), random.Random(seed), [], 0
        self.lists = [simpy.Resource(self.env, n) for n in [1] * 90 + [2] * 30 + [10**9]]
        self.errors = [simpy.Resource(self.env, 1) for _ in range(61)]
        self.joined, self.restored, self.threads = 15, None, {}
        self.processes = [self.env.process(p) for p in (arrivals(self, cases_per_day / 8), world(self))]
        self.env.run(weeks * WEEK)
    def row(self, i, event, at, peer=-1, length=0):
        self.rows.append((self.env.now, i.case, i.delivery, i.step, at, peer, length, 0.0, event, i.channel,
                          i.attempt, i.case % 4, i.to, -1, 0, i.state))
    def referral(self, case, gp, pool):
        self.threads[case] = 1
        self.row(Item(case, WRITE), CREATED, gp)
        yield from self.work(Item(case, WRITE), gp, self.lists[gp], 2, 12, 5)
        if not (yield from self.send(referral := self.message(case, REFER, gp, pool))):
            return
        yield from self.work(referral, pool, self.lists[pool], 4, 29, 12)
        self.row(Item(case, ASSESSED), MILESTONE, gp)
        self.env.process(self.tell(self.message(case, TELL, pool, gp)))
        self.env.process(self.tell(self.message(case, SUMMON, pool, gp, 1)))
        if not (yield from self.send(letter := self.message(case, SUMMON, pool, PATIENTS))):
            return
        yield from self.work(letter, PATIENTS, self.lists[PATIENTS], 1, 3, 2)
        yield self.env.timeout(self.rng.uniform(WEEK, 3 * WEEK))
        yield from self.work(Item(case, VISIT), pool + 30, self.lists[pool + 30], 10, 45, 20)
        self.row(Item(case, CARE), MILESTONE, gp)
        self.env.process(self.tell(self.message(case, REPORT, pool + 30, gp)))
        self.end(case)
    def message(self, case, step, sender, to, copy=0):
        self.threads[case] += step in (TELL, REPORT) or copy
        channel = LETTER if to == PATIENTS else PLATFORM if min(sender, to) < self.joined else EDI
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
                self.row(m, RELAYED, 122, m.sender)
                if self.restored:
                    self.row(m, HELD, 121, m.sender)
                    yield self.restored
            if not letter:
                self.row(m, RELAYED, 121, m.sender)
            if not edi or rng.random() >= 0.04:
                break
            yield env.timeout(math.ceil(env.now + GAP) - env.now)
            if m.attempt == TRIES:
                return (yield from self.told(m, ABANDONED))
            m.attempt += 1
        low, high, mode = (1440, 7200, 2880) if letter else (1, 20, 3) if edi else (1, 6, 2)
        yield env.timeout(rng.triangular(low, high, mode) / 60)
        if letter:
            return self.row(m, RECEIVED, m.to, m.sender) or True
        if edi:
            self.row(m, RECEIPT, m.sender, m.to)
        rejected = rng.random() < RATE
        if rejected and not edi:
            return (yield from self.stuck(m, RECEIVED))
        self.row(m, RECEIVED, m.to, m.sender)
        if rejected:
            return (yield from self.told(m, REJECTED))
        if edi:
            self.row(m, ANSWER, m.sender, m.to)
        return (yield from self.stuck(m, LISTED)) if rng.random() < RATE else True
    def told(self, m, event):
        if self.rng.random() < 0.2:
            return (yield from self.stuck(m, event))
        m.state = TOLD
        self.row(m, event, m.sender, m.to)
        yield from self.work(m, m.sender, self.errors[min(m.sender, 60)], 2, 14, 5)
        return (yield from self.again(m, RESENT))
    def stuck(self, m, event):
        m.state = SILENT
        self.row(m, event, m.sender, m.to)
        if self.rng.random() >= 0.4:
            return False
        yield self.env.timeout(self.rng.uniform(WEEK, 3 * WEEK))
        return (yield from self.again(m, FOUND, RESENT))
    def again(self, m, *events):
        m.state = MOVING
        for event in events:
            self.row(m, event, m.sender, m.to)
        yield self.env.timeout(self.rng.uniform(2, 48))
        self.row(m, RECEIVED, m.to, m.sender)
        return True
