"""The bare idiom: five messages and seven turns on lists a referral, with nothing that can fail."""

# ruff: noqa: ANN001, ANN201, ANN204, D102, S311
import random

import simpy

from benchmarks.simpy_parts import next_open


class Bare:
    """A process a referral, and one for each message that nobody waits for; a tuple a row."""

    def __init__(self, seed, cases_per_day, weeks):
        self.env, self.rng, self.rows, self.deliveries = simpy.Environment(), random.Random(seed), [], 0
        self.lists = [simpy.Resource(self.env, n) for n in [1] * 90 + [2] * 30 + [10**9]]
        self.env.process(self.arrivals(cases_per_day / 8))
        self.env.run(weeks * 168)

    def arrivals(self, per_hour):
        while True:
            yield self.env.timeout(next_open(self.env.now + self.rng.expovariate(per_hour)) - self.env.now)
            self.env.process(self.referral(self.rng.randrange(60), 60 + self.rng.randrange(30)))

    def referral(self, gp, pool):
        yield from self.work(gp, 2, 12)
        yield from self.message(gp, pool, 0.1, 4, 29)
        self.env.process(self.message(pool, gp, 0.1, 1, 3))
        self.env.process(self.message(pool, gp, 0.1, 1, 3))
        yield from self.message(pool, 120, 24, 1, 3)
        yield self.env.timeout(self.rng.uniform(168, 504))
        yield from self.work(pool + 30, 10, 45)
        self.env.process(self.message(pool + 30, gp, 0.1, 1, 3))

    def message(self, sender, to, hours, low, high):
        self.deliveries += 1
        for event in ("authored", "sent", "relayed", "received"):
            self.rows.append((self.env.now, event, sender, to))
        yield self.env.timeout(self.rng.uniform(hours, 3 * hours))
        yield from self.work(to, low, high)

    def work(self, at, low, high):
        self.rows.append((self.env.now, "listed", at, len(self.lists[at].queue)))
        with self.lists[at].request() as turn:
            yield turn
            yield self.env.timeout(next_open(self.env.now) - self.env.now if at < 120 else 0)
            self.rows.append((self.env.now, "taken", at, len(self.lists[at].queue)))
            yield self.env.timeout(self.rng.uniform(low, high) / 60)
        self.rows.append((self.env.now, "done", at, len(self.lists[at].queue)))
