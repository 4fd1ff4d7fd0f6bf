"""A shot's chunks dealt out to the nodes of a cluster, as many at once as it has room for."""

import time
from dataclasses import dataclass
from typing import Any

from i2vedit_core.apart import Found, Part, Recipe, look_up
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.method.preparation import Preparation
from i2vedit_core.progress import CancelToken
from i2vedit_server.farm.cluster import Cluster, require_ray, told_by
from i2vedit_server.farm.relay import Relay
from i2vedit_server.farm.tasks import ChunkTask, prepare_chunk

POLL_SECONDS = 0.1
STOP_SECONDS = 10.0
"""How long tasks may take to their next step, and the checkpoint of it: less than a cancelled job's grace."""
LOSSES = 3
"""So often a task is begun anew after its process or node was lost, by Ray."""


@dataclass(frozen=True)
class _Leg:
    """What is in hand."""

    preparation: Preparation
    recipe: Recipe
    front: Any
    """Ray's reference to the pixels of chunk 0; None where no chunk looks back at it."""

    def cost_of(self, part: Part) -> float:
        """In evaluations of the UNet."""
        whole, steps = self.preparation.cost_of_chunk, float(self.preparation.settings.steps)
        return {Part.TRAJECTORY: steps, Part.LORA: whole - steps, Part.WHOLE: whole}[part]


class Dealer:
    """Has the chunks of one job prepared on a cluster that this process is connected to."""

    def __init__(self, cluster: Cluster, resource: str, token: CancelToken) -> None:
        ray = require_ray()
        self._ray, self._cluster, self._token = ray, cluster, token
        wanted = {"num_gpus": 1, "num_cpus": 0} if resource == "GPU" else {"num_cpus": 1}
        # For tasks with a GPU Ray would end the process after each one, and the model with it.
        self._task = ray.remote(**wanted, max_retries=LOSSES, max_calls=0)(prepare_chunk)
        self._relay = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Relay).remote()
        self._resource = resource
        self._running: dict[Any, int] = {}
        """The chunk of each, by Ray's reference."""

    def prepare(self, preparation: Preparation, recipe: Recipe) -> None:
        """Everything that the artifacts do not have yet of this preparation. What its chunks report, its reporter is told.

        Raises BridgeError, as the first task that fails; CANCELLED once the token was set, after the tasks have kept what they had.
        """
        try:
            self._prepare(preparation, recipe)
        except BridgeError:
            self._end()
            raise

    def _prepare(self, preparation: Preparation, recipe: Recipe) -> None:
        first = look_up(preparation, preparation.chunks[0])
        leg = _Leg(preparation, recipe, self._ray.put(first.packed) if preparation.skips else None)
        if preparation.skips:
            self._begin_with(first, leg)
        for chunk in preparation.chunks[1:] if preparation.skips else preparation.chunks:
            self._make(first if chunk.index == 0 else look_up(preparation, chunk), Part.WHOLE, leg)
        self._wait(leg, 0)

    def _begin_with(self, first: Found, leg: "_Leg") -> None:
        """Until the trajectory of chunk 0 is there, at which all others look back. Its LoRA is trained meanwhile, and longer."""
        traced = self._make(first, Part.TRAJECTORY, leg)
        self._make(first, Part.LORA, leg)
        while traced in self._running:
            self._follow(leg)

    def _make(self, found: Found, part: Part, leg: "_Leg") -> Any:
        """Ray's reference to the task, begun as soon as there is room for it; None where that part is there."""
        preparation = leg.preparation
        if found.has(part):
            preparation.report.skip(leg.cost_of(part))
            return None
        # As many as run, and none that would wait with the pixels of its chunk in memory. Nodes come and go.
        self._wait(leg, max(self._cluster.slots(self._resource), 1) - 1)
        task = ChunkTask(found.chunk.index, part)
        reference = self._task.remote(task, leg.recipe, self._cluster.terms, self._relay, leg.front, found.packed)
        self._running[reference] = found.chunk.index
        return reference

    def _wait(self, leg: "_Leg", most: int) -> None:
        """Until no more tasks than these run."""
        while len(self._running) > most:
            self._follow(leg)

    def _follow(self, leg: "_Leg") -> None:
        """For a moment: passes news on, and takes up what has ended."""
        self._token.check()
        ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=POLL_SECONDS)
        for name, arguments in self._news(stop=False):
            getattr(leg.preparation.report, name)(*arguments)
        for reference in ended:
            self._take(reference, self._running.pop(reference))

    def _news(self, stop: bool) -> list[tuple[str, tuple[Any, ...]]]:
        try:
            taken: list[tuple[str, tuple[Any, ...]]] = self._ray.get(self._relay.take.remote(stop))
        except self._ray.exceptions.RayError:
            return []  # its node is lost, and it starts on another one
        return taken

    def _take(self, reference: Any, chunk: int) -> None:
        exceptions = self._ray.exceptions
        try:
            self._ray.get(reference)
        except exceptions.RayTaskError as error:
            raise told_by(f"of chunk {chunk}", error, self._cluster.terms) from error
        except exceptions.OutOfMemoryError as error:
            sentence = f"A node had not enough memory for chunk {chunk}; start Ray there with fewer --num-cpus, or use a smaller --size."
            raise BridgeError(Code.RESOURCE_EXHAUSTED, Reason.OUT_OF_MEMORY, sentence) from error
        except exceptions.RayError as error:
            sentence = (
                f"Chunk {chunk} lost its process on the Ray cluster {LOSSES + 1} times ({type(error).__name__}); Ray's logs on its nodes "
                "say more. What was done is kept: `i2vedit jobs retry` goes on from there."
            )
            raise BridgeError(Code.INTERNAL, Reason.WORKER_LOST, sentence) from error

    def _end(self) -> None:
        """Lets the tasks go at their next step, and waits for that."""
        end = time.monotonic() + STOP_SECONDS
        while self._running and time.monotonic() < end:
            self._news(stop=True)
            ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=POLL_SECONDS)
            for reference in ended:
                del self._running[reference]
