"""METHOD section 6, *Store or replay*: how the edit comes by the source's attention maps. Three ways, one interface, the same bits."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from i2vedit_core.method.attention.passes import SourceMaps
from i2vedit_core.settings import MapStore
from i2vedit_core.tensor_files import find_tensors, save_tensors

Replay = Callable[[int], SourceMaps]
"""level -> the maps, by running the base model once more on the trajectory."""


class Store(Protocol):
    """Where maps wait, by noise level, until the edit asks for them."""

    keeps: bool
    """Whether it is worth recording maps as the inversion passes by them."""

    def keep(self, level: int, maps: SourceMaps) -> None: ...

    def find(self, level: int) -> SourceMaps | None: ...

    def close(self) -> None:
        """Gives back what the store holds in memory."""


OpenStore = Callable[[Path], Store]
"""The folder of a chunk's inversion -> the store of its maps."""


def open_store(kind: MapStore) -> OpenStore:
    """How to open a store of this kind."""
    return {MapStore.REPLAY: replay_only, MapStore.RAM: lambda folder: MemoryStore(), MapStore.DISK: DiskStore}[kind]


def replay_only(folder: Path) -> Store:
    return NoStore()


class MapsAt:
    """What the edit asks: the store's maps, and replayed ones where it has none."""

    def __init__(self, store: Store, replay: Replay) -> None:
        self._store, self._replay = store, replay

    def at(self, level: int) -> SourceMaps:
        found = self._store.find(level)
        if found is None:
            found = self._replay(level)
            self._store.keep(level, found)
        return found


class NoStore:
    """Nothing is kept: one more evaluation at each step, and 100 MB a chunk instead of 75 GB. The default."""

    keeps = False

    def keep(self, level: int, maps: SourceMaps) -> None:
        """Lets it go."""

    def find(self, level: int) -> SourceMaps | None:
        return None

    def close(self) -> None:
        """There is nothing to give back."""


class MemoryStore:
    """In host memory, for those who have the room."""

    keeps = True

    def __init__(self) -> None:
        self._maps: dict[int, SourceMaps] = {}

    def keep(self, level: int, maps: SourceMaps) -> None:
        self._maps[level] = {path: (q.cpu(), k.cpu()) for path, (q, k) in maps.items()}

    def find(self, level: int) -> SourceMaps | None:
        return self._maps.get(level)

    def close(self) -> None:
        self._maps.clear()


class DiskStore:
    """In a file for each level. While the network works on one level, a thread of its own reads the next."""

    keeps = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="source-maps")
        self._coming: tuple[int, Future[SourceMaps | None]] | None = None
        self._last: int | None = None

    def keep(self, level: int, maps: SourceMaps) -> None:
        tensors = {f"{path}.{part}": tensor for path, pair in maps.items() for part, tensor in zip(("q", "k"), pair, strict=True)}
        save_tensors(self._file(level), tensors)

    def find(self, level: int) -> SourceMaps | None:
        found = self._coming[1].result() if self._coming and self._coming[0] == level else self._read(level)
        following = level + (level - self._last if self._last is not None and self._last < level else 1)
        self._last = level
        self._coming = following, self._reader.submit(self._read, following)
        return found

    def close(self) -> None:
        self._reader.shutdown(cancel_futures=True)

    def _read(self, level: int) -> SourceMaps | None:
        tensors = find_tensors(self._file(level))
        if tensors is None:
            return None
        paths = {name.removesuffix(".q") for name in tensors if name.endswith(".q")}
        return {path: (tensors[f"{path}.q"], tensors[f"{path}.k"]) for path in paths}

    def _file(self, level: int) -> Path:
        return self._folder / f"maps_{level:03}.safetensors"
