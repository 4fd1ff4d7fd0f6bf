"""Whether a worker process is alive, and whether its job gets anywhere."""

LONGEST_TICK = 2.0


class Pulse:
    """Counts silence tick by tick instead of comparing clocks: while this process was stopped, or the machine slept, nobody was late."""

    def __init__(self) -> None:
        self.silent_seconds = 0.0
        """Since the last message of any kind; 0 until the first one, since a process takes long to start on a busy machine."""
        self.step_seconds = 0.0
        """Since the job's last step."""
        self._heard = self._stepped = self._was_heard = False

    def heard(self) -> None:
        """A message has come. May be called from any thread."""
        self._heard = True

    def stepped(self) -> None:
        """The job is one step further. May be called from any thread."""
        self._heard = self._stepped = True

    def begin(self) -> None:
        """A job begins."""
        self.silent_seconds = self.step_seconds = 0.0

    def tick(self, seconds: float) -> None:
        """So much time has gone by since the last tick, or since `begin`."""
        counted = min(seconds, LONGEST_TICK)
        self._was_heard |= self._heard
        self.silent_seconds = 0.0 if self._heard or not self._was_heard else self.silent_seconds + counted
        self.step_seconds = 0.0 if self._stepped else self.step_seconds + counted
        self._heard = self._stepped = False
