"""Which kills are dealt: who is struck, and when."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum


class Victim(StrEnum):
    """Who is killed."""

    WORKER = "worker"
    SERVER = "server"
    BOTH = "both"


class Moment(StrEnum):
    """When it happens."""

    STARTING = "while starting"
    """At any time until the worker has loaded what it needs."""
    RUNNING = "while running"
    """At any time of the job itself."""
    CHECKPOINT = "checkpoint write"
    FRAME = "EXR write"
    COMMIT = "commit"
    SUBMIT = "job on its way in"
    """Between a request for a job and its answer."""


SERVERS = (Victim.SERVER, Victim.BOTH)
"""A worker writes no commit, and takes no job in."""


@dataclass(frozen=True)
class Kill:
    """One of the plan."""

    victim: Victim
    moment: Moment
    fraction: float
    """Of whatever the moment leaves to chance, 0..1."""


def plan_kills(count: int, seed: int) -> list[Kill]:
    """Half of them at random moments, the others at chosen ones; in every stretch of eight the same mixture, in random order."""
    chance = random.Random(seed)
    stretch = [Moment.STARTING, *[Moment.RUNNING] * 3, Moment.CHECKPOINT, Moment.FRAME, Moment.COMMIT, Moment.SUBMIT]
    kills: list[Kill] = []
    while len(kills) < count:
        for moment in chance.sample(stretch, len(stretch)):
            victims = SERVERS if moment in (Moment.COMMIT, Moment.SUBMIT) else tuple(Victim)
            kills.append(Kill(chance.choice(victims), moment, chance.random()))
    return kills[:count]


class Deck:
    """The kills that have not been dealt yet, in the order of the plan as far as the job at hand allows."""

    def __init__(self, kills: list[Kill], is_open: Callable[[], bool] = lambda: True) -> None:
        """Where `is_open` says no, nothing more is dealt: the time is over."""
        self._left = deque(kills)
        self.is_open = is_open

    def __len__(self) -> int:
        return len(self._left)

    @property
    def left(self) -> list[Kill]:
        return list(self._left)

    def draw(self, unsuitable: set[Victim | Moment]) -> Kill | None:
        """The next kill of which neither victim nor moment is unsuitable; None where all are."""
        for kill in self._left if self.is_open() else ():
            if not {kill.victim, kill.moment} & unsuitable:
                self._left.remove(kill)
                return kill
        return None

    def put_back(self, kill: Kill) -> None:
        """Its moment has not come; the next time it is tried earlier."""
        self._left.append(replace(kill, fraction=kill.fraction / 2))
