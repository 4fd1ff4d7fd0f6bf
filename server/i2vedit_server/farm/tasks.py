"""What runs on the nodes: the preparation of one chunk, or a part of it. Its process keeps model and chunk 0 for the next one."""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.farm.relay import RelayReporter
from i2vedit_server.farm.terms import Terms, accept

if TYPE_CHECKING:
    from i2vedit_core.apart import ChunkMaker, Part, Recipe


@dataclass(frozen=True)
class ChunkTask:
    """What is to be made of a chunk."""

    chunk: int
    part: "Part"


_KEPT: list["ChunkMaker"] = []
"""At most one: two models do not fit on a card."""
_ACCEPTED: set[Path] = set()
"""Markers that this process has found."""


def prepare_chunk(task: ChunkTask, recipe: "Recipe", terms: Terms, relay: Any, first: np.ndarray | None, pixels: np.ndarray) -> None:
    """A Ray task. Leaves trajectory and LoRA in the artifacts; `first` are the pixels of chunk 0 where later chunks look back at it.

    Raises BridgeError.
    """
    if terms.marker not in _ACCEPTED:
        terms.marker.with_name(accept(terms)).unlink(missing_ok=True)  # nobody waits for the answer
        _ACCEPTED.add(terms.marker)
    reporter = RelayReporter(relay)
    try:
        by_chunk = {task.chunk: pixels} if first is None else {0: first, task.chunk: pixels}
        _maker(recipe).make(recipe, task.chunk, by_chunk, reporter, task.part)
    except BridgeError as error:
        raise _from_here(error) from error
    finally:
        reporter.flush()


def _maker(recipe: "Recipe") -> "ChunkMaker":
    from i2vedit_core.apart import ChunkMaker  # torch, which takes its time: not before the terms are accepted

    if not _KEPT or _KEPT[0].model != recipe.model:
        _KEPT.clear()
        _KEPT.append(ChunkMaker(recipe))
    return _KEPT[0]


def _from_here(error: BridgeError) -> BridgeError:
    """With the node's name: the sentence is read on another machine."""
    if error.code is Code.CANCELLED:
        return error
    if error.reason in (Reason.MODEL_UNKNOWN, Reason.MODEL_INCOMPLETE):
        sentence = f"{error.sentence} This is so on the node {platform.node()}; every node needs the model under the same name."
        return BridgeError(error.code, error.reason, sentence)
    return BridgeError(error.code, error.reason, f"On the node {platform.node()}: {error.sentence}")
