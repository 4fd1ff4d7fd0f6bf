"""Pictures that are shown soon or were shown lately, in at most so many bytes; made in threads of their own."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from i2vedit_monitor.viewer.display import Rgb32
from i2vedit_monitor.viewer.layers import Key, NotThereYetError

LARGEST_CACHE = 2 * 2**30
THREADS = 2


class Picture:
    """Screen codes and the Qt image that shows them without a copy."""

    __slots__ = ("codes", "image")

    def __init__(self, codes: Rgb32) -> None:
        self.codes = codes
        height, width = codes.shape
        # The image does not own its bytes: `codes` lives as long as it does.
        self.image = QImage(codes.data, width, height, width * 4, QImage.Format.Format_RGB32)


class FrameStore(QObject):
    """`get` what is there, `want` what is needed, the most urgent first. What was wanted earlier and is no longer is not begun."""

    arrived = Signal(object)
    """A Key that can be got now."""

    def __init__(self, load: Callable[[Key], Rgb32], capacity: int = LARGEST_CACHE, threads: int = THREADS) -> None:
        """`load` makes a picture in a thread of the store; it raises NotThereYetError where a file is missing."""
        super().__init__()
        self.capacity = capacity
        self._load = load
        self._pictures: OrderedDict[Key, Picture] = OrderedDict()
        self._bytes = 0
        self._wanted: list[Key] = []
        self._making: set[Key] = set()
        self._missing: set[Key] = set()
        self._refused: set[Key] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name="frames", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def byte_count(self) -> int:
        return self._bytes

    def get(self, key: Key) -> Picture | None:
        with self._changed:
            picture = self._pictures.get(key)
            if picture is not None:
                self._pictures.move_to_end(key)
            return picture

    def has(self, key: Key) -> bool:
        """Without counting as a use."""
        return key in self._pictures

    def is_missing(self, key: Key) -> bool:
        """Whether its file was looked for and was not there."""
        return key in self._missing

    def want(self, keys: Sequence[Key]) -> None:
        """Replaces what was wanted before."""
        with self._changed:
            self._wanted = list(keys)
            self._refused.clear()
            self._changed.notify_all()

    def retry(self) -> None:
        """Files that were missing may be there now."""
        with self._changed:
            self._missing.clear()
            self._changed.notify_all()

    def forget(self, keep: Callable[[Key], bool]) -> None:
        """Lets everything go that `keep` does not name."""
        with self._changed:
            for key in [key for key in self._pictures if not keep(key)]:
                self._bytes -= self._pictures.pop(key).codes.nbytes
            self._missing.clear()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(2)

    def _work(self) -> None:
        while (key := self._next()) is not None:
            try:
                codes = self._load(key)
            except NotThereYetError:
                with self._changed:
                    self._making.discard(key)
                    self._missing.add(key)
                continue
            self._keep(key, codes)

    def _next(self) -> Key | None:
        """Waits for the most urgent picture that nobody makes yet; None at the end."""
        with self._changed:
            while not self._closed:
                for key in self._wanted:
                    if not any(key in known for known in (self._pictures, self._making, self._missing, self._refused)):
                        self._making.add(key)
                        return key
                self._changed.wait()
            return None

    def _keep(self, key: Key, codes: Rgb32) -> None:
        with self._changed:
            self._making.discard(key)
            self._make_room(codes.nbytes, key)
            if self._bytes + codes.nbytes > self.capacity or self._closed:
                self._refused.add(key)  # what is wanted more fills the cache
                return
            self._pictures[key] = Picture(codes)
            self._bytes += codes.nbytes
        self.arrived.emit(key)

    def _make_room(self, needed: int, coming: Key) -> None:
        """Lets go what was used longest ago, and of what is wanted only that which is less urgent than what comes."""
        urgency = {key: place for place, key in enumerate(self._wanted)}
        own = urgency.get(coming, len(urgency))
        for key in sorted(self._pictures, key=lambda key: -urgency.get(key, len(urgency) + 1)):
            if self._bytes + needed <= self.capacity:
                return
            if urgency.get(key, len(urgency) + 1) > own:
                self._bytes -= self._pictures.pop(key).codes.nbytes
