"""A bar for each stage of a job."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn

from i2vedit_client import words
from i2vedit_client.events import Event


class Bars:
    """Rows with a bar and details. Lines that are said scroll by above them."""

    def __init__(self, name: ProgressColumn, *before: ProgressColumn, console: Console | None = None) -> None:
        details = TextColumn("{task.fields[details]}", markup=False)
        self._progress = Progress(*before, name, BarColumn(bar_width=30), TaskProgressColumn(), details, console=console)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Nothing, where there are no words."""
        if text:
            # Paths may hold [brackets], which are markup to rich, and must not be broken over lines.
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


class BarReport(Bars):
    """Shows a row when a stage begins for the first time; chunks move it on."""

    def __init__(self, console: Console | None = None) -> None:
        name = TextColumn("{task.description:<20}", markup=False)
        super().__init__(name, SpinnerColumn(finished_text="✓"), console=console)
        self._rows: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        if event["event"] == "progress":
            self._show(event)
        else:
            self.say(words.sentence(event))

    def _show(self, event: Event) -> None:
        stage = event["stage"]
        if stage not in self._rows:
            self._rows[stage] = self._progress.add_task(words.stage_words(stage), total=1.0, details="")
        for other, row in self._rows.items():
            details = words.details(event) if other == stage else ""
            self._progress.update(row, details=details)
        self._progress.update(self._rows[stage], completed=words.part_done(event))
