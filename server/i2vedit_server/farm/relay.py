"""Between the tasks of a job and the worker process that waits for them: news in one direction, the wish to stop in the other."""

import contextlib
import time
from typing import Any

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.progress import CancelToken, Reporter, Stage, ignore

SEND_SECONDS = 0.2
FLUSH_SECONDS = 5.0

News = tuple[str, tuple[Any, ...]]
"""The name of a method of `Reporter`, and what it is called with."""


class Relay:
    """A Ray actor of one job. It may die and start anew: what it forgets is only news, and the wish to stop is told again."""

    def __init__(self) -> None:
        self._news: list[News] = []
        self._stops = False

    def tell(self, news: list[News]) -> bool:
        """From a task. Gives whether it is to stop."""
        self._news += news
        return self._stops

    def take(self, stop: bool) -> list[News]:
        """From the worker process: what has been told since, and whether the tasks are to stop."""
        self._stops = stop
        taken, self._news = self._news, []
        return taken


class RelayReporter(Reporter):
    """What a task reports to. Sends now and then, and waits for an answer at the end alone."""

    def __init__(self, relay: Any) -> None:
        super().__init__(ignore, CancelToken())
        self._relay = relay
        self._news: list[News] = []
        self._sent_seconds = 0.0
        self._answer: Any = None

    def step(self, stage: Stage, chunk: int, step: int, of: int, cost: float = 0.0, loss: float | None = None) -> None:
        self._look()
        self._put("step", stage, chunk, step, of, cost, loss)

    def skip(self, cost: float) -> None:
        self._put("skip", cost)

    def artifact(self, name: str) -> None:
        """It was noted before the task began."""

    def flush(self) -> None:
        """Sends what is left, and waits until it has come: what is told later would be taken for another leg's."""
        import ray

        if self._news:
            self._send()
        if self._answer is not None:
            with contextlib.suppress(ray.exceptions.RayError):
                ray.get(self._answer, timeout=FLUSH_SECONDS)

    def _put(self, name: str, *arguments: Any) -> None:
        self._news.append((name, arguments))
        if time.monotonic() - self._sent_seconds >= SEND_SECONDS:
            self._send()

    def _send(self) -> None:
        news, self._news = self._news, []
        self._answer, self._sent_seconds = self._relay.tell.remote(news), time.monotonic()

    def _look(self) -> None:
        """Raises BridgeError CANCELLED once the task is to stop."""
        import ray

        if self._answer is None or not ray.wait([self._answer], timeout=0)[0]:
            return
        answer, self._answer = self._answer, None
        try:
            stops = ray.get(answer)
        except ray.exceptions.RayError:
            return  # it will be told again
        if stops:
            raise BridgeError(Code.CANCELLED, Reason.CANCELLED, "The job was cancelled.")
