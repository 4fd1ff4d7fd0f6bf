"""The losses of a training, thinned out so that a curve of any length takes little room."""

from array import array

MOST_POINTS = 1024


class LossCurve:
    """Points over the steps of all chunks. Beyond MOST_POINTS every other one is dropped, and fewer are taken from then on."""

    def __init__(self) -> None:
        self.steps = array("f")
        self.losses = array("f")
        self.kept: list[int] = []
        """Steps at which a chunk was learnt to its end: what lies before is kept and not learnt again."""
        self._stride = 1
        self._seen = 0
        self._chunk = -1

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, chunk: int, step: int, steps: int, loss: float) -> None:
        """A step of a chunk of `steps` steps. A job that goes on from a checkpoint tells some steps again: those replace the old ones."""
        at = chunk * steps + step
        self._forget_after(at)
        if chunk != self._chunk:
            self._chunk = chunk
            self.kept = [chunk_end * steps for chunk_end in range(1, chunk + 1)]
        self._seen += 1
        if self._seen % self._stride:
            return
        self.steps.append(at)
        self.losses.append(loss)
        if len(self.steps) > MOST_POINTS:
            self.steps, self.losses = self.steps[::2], self.losses[::2]
            self._stride *= 2

    def _forget_after(self, at: int) -> None:
        while self.steps and self.steps[-1] >= at:
            self.steps.pop()
            self.losses.pop()
