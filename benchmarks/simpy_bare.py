"""The bare idiom: what a page on SimPy would write for three messages and two lists, with nothing that fails."""

import random

import simpy

from benchmarks.simpy_idiom import next_open


class Bare:
    """A process a referral, a Resource a service, office hours, a tuple a row."""

    def __init__(self, seed, cases_per_day, weeks):
        self.env, self.rng, self.rows, self.deliveries = simpy.Environment(), random.Random(seed), [], 0
        self.lists = [simpy.Resource(self.env, 1) for _ in range(90)]
        self.env.process(self.arrivals(cases_per_day / 8))
        self.env.run(weeks * 168)

    def arrivals(self, per_hour):
        case = 0
        while True:
            yield self.env.timeout(self.rng.expovariate(per_hour))
            yield self.env.timeout(next_open(self.env.now) - self.env.now)
            self.env.process(self.referral(case, self.rng.randrange(60), 60 + self.rng.randrange(30)))
            case += 1

    def referral(self, case, practice, pool):
        yield from self.message(case, practice, pool, 0.2, 0.25)
        self.env.process(self.message(case, pool, practice, 0.2, 0.03))
        yield from self.message(case, pool, None, 72, 0)
        yield self.env.timeout(self.rng.uniform(168, 504))

    def message(self, case, sender, to, latency, minutes):
        self.deliveries += 1
        self.rows.append((self.env.now, "sent", case, sender, to))
        yield self.env.timeout(self.rng.expovariate(1 / latency))
        self.rows.append((self.env.now, "received", case, sender, to))
        if to is not None:
            with self.lists[to].request() as turn:
                yield turn
                yield self.env.timeout(next_open(self.env.now) - self.env.now)
                yield self.env.timeout(self.rng.expovariate(1 / minutes))
            self.rows.append((self.env.now, "done", case, sender, to))
