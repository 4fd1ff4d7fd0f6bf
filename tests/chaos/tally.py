"""What came of all the kills: the table, and the promises that were broken."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tests.chaos.notes import LEVELS, Redone
from tests.chaos.plan import Kill, Moment, Victim

from i2vedit_core.settings import LoraSettings

MOST_REDONE = Redone(invert=5, train=LoraSettings().checkpoint_every, edit=LEVELS)
"""Steps between two checkpoints (of an inversion, `preparation.INVERSION_CHECKPOINT_EVERY`); of denoising, those of one chunk."""
MOST_FRAMES_REDONE = 1
Told = Callable[[str], None]
"""Hears lines for people."""
WORDS = (("train", "training steps"), ("invert", "inversion steps"), ("edit", "denoising steps"))


def silent(line: str) -> None:
    """Nobody listens."""


@dataclass
class Tally:
    """Grows from round to round."""

    kills: Counter[tuple[Moment, Victim]] = field(default_factory=Counter)
    caught: Counter[Moment] = field(default_factory=Counter)
    """Kills that left a file unfinished: they fell into the middle of a write."""
    jobs: int = 0
    files_read: int = 0
    redone: list[Redone] = field(default_factory=list)
    """One for each attempt that went on where another one was killed."""
    frames_redone: list[int] = field(default_factory=list)
    """One for each kill."""
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    """Sequences whose pixels are not those of an undisturbed run."""
    left_behind: list[str] = field(default_factory=list)
    """Workers that outlived their server."""
    unjudged: list[str] = field(default_factory=list)
    """Rounds that did not come to an end, and why."""

    def count(self, kill: Kill, caught: bool) -> None:
        """A kill was dealt."""
        self.kills[kill.moment, kill.victim] += 1
        self.caught[kill.moment] += caught

    def broken_promises(self) -> list[str]:
        """A sentence for each."""
        wrong = [
            ("lost job", self.lost),
            ("duplicate", self.duplicates),
            ("broken file under a final name", self.broken),
            ("other pixels than an undisturbed run", self.different),
            ("worker left behind", self.left_behind),
            ("round that did not come to its end", self.unjudged),
        ]
        told = [f"{what}: {each}" for what, found in wrong for each in found]
        for stage, words in WORDS:
            counts = [getattr(each, stage) for each in self.redone]
            told += [f"{count} {words} were done twice" for count in counts if count > getattr(MOST_REDONE, stage)]
        return told + [f"{frames} frames were written twice" for frames in self.frames_redone if frames > MOST_FRAMES_REDONE]

    def saved(self) -> dict[str, Any]:
        """As JSON values; `restored` gives it back."""
        plain = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("kills", "caught", "redone")}
        kills = [[moment.value, victim.value, count] for (moment, victim), count in self.kills.items()]
        caught = [[moment.value, count] for moment, count in self.caught.items()]
        return {**plain, "kills": kills, "caught": caught, "redone": [asdict(each) for each in self.redone]}

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> "Tally":
        """What `saved` gave."""
        kills = Counter({(Moment(moment), Victim(victim)): count for moment, victim, count in saved["kills"]})
        caught = Counter({Moment(moment): count for moment, count in saved["caught"]})
        return cls(**{**saved, "kills": kills, "caught": caught, "redone": [Redone(**each) for each in saved["redone"]]})

    def table(self) -> str:
        """Markdown: the kills, and what they did."""
        return f"{self._kill_table()}\n{self._outcome_table()}"

    def _kill_table(self) -> str:
        rows = [
            [moment.value, *(str(self.kills[moment, victim]) for victim in Victim), str(self.caught[moment])]
            for moment in Moment
            if any(self.kills[moment, victim] for victim in Victim)
        ]
        sums = [str(sum(self.kills[moment, victim] for moment in Moment)) for victim in Victim]
        rows.append(["all", *sums, str(self.caught.total())])
        return _markdown(["moment", *(victim.value for victim in Victim), "fell into a write"], rows)

    def _outcome_table(self) -> str:
        rows = [
            ["jobs accepted", str(self.jobs)],
            ["lost jobs", str(len(self.lost))],
            ["duplicates", str(len(self.duplicates))],
            [f"broken files under final names, of {self.files_read}", str(len(self.broken))],
            ["workers that outlived their server", str(len(self.left_behind))],
            ["sequences with other pixels than an undisturbed run", str(len(self.different))],
            ["frames written twice after one kill, at most", str(max(self.frames_redone, default=0))],
        ]
        for stage, words in WORDS:
            counts = [getattr(each, stage) for each in self.redone]
            mean = sum(counts) / max(self.kills.total(), 1)
            rows.append([f"{words} done twice: at most after one kill, mean of all kills", f"{max(counts, default=0)}, {mean:.1f}"])
        return _markdown(["outcome", ""], rows)


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
