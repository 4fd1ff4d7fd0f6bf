"""Two bars: all shots, and the one that runs."""

from rich.console import Console
from rich.progress import TaskID, TextColumn

from i2vedit_client import words
from i2vedit_client.bars import Bars
from i2vedit_client.batch.words import sentence
from i2vedit_client.events import Event


class BatchBars(Bars):
    """Lines of what has ended scroll by above the bars."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(TextColumn("{task.description:<30.30}", markup=False), console=console)
        self._all: TaskID | None = None
        self._running: TaskID | None = None

    def __call__(self, event: Event) -> None:
        if event["event"] == "progress":
            if self._running is None:
                self._running = self._progress.add_task("", total=1.0, details="")
            details = ", ".join(part for part in (words.stage_words(event["stage"]), words.details(event)) if part)
            self._progress.update(self._running, description=event["clip"], completed=words.part_done(event), details=details)
            return
        if event["event"] == "row":
            if self._all is None:
                self._all = self._progress.add_task("All shots", total=event["of"], details="")
            self._progress.update(self._all, completed=event["done"], details=f"{event['done']} of {event['of']}")
        self.say(sentence(event))
