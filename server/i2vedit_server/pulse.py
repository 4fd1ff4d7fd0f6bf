"""Whether a worker process is alive, and whether its job gets anywhere."""

LONGEST_TICK = 2.0


class Pulse:
    """Counts silence tick by tick instead of comparing clocks: while this process was stopped, or the machine slept, nobody was late."""

    def __init__(self) -> None:
        self.start_seconds = 0.0
        """That the process has taken to say its first word. It takes long on a busy machine, so the others count from there on."""
        self.silent_seconds = 0.0
        """Since the last message of any kind."""
        self.step_seconds = 0.0
        """Since the job's last step."""
        self._heard = self._stepped = self._has_started = False

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
        heard, stepped = self._heard, self._stepped
        self._heard = self._stepped = False
        if not (heard or self._has_started):
            self.start_seconds += counted
            return
        self._has_started = True
        self.silent_seconds = 0.0 if heard else self.silent_seconds + counted
        self.step_seconds = 0.0 if stepped else self.step_seconds + counted
