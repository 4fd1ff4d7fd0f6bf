"""A whole run: the undisturbed one first, then rounds of kills until all of the plan are dealt, or the time is over.

After each round it is written down how far the run is: the same folder given again goes on with the next round.
"""

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.files import Digest
from tests.chaos.jobs import Job
from tests.chaos.plan import Deck, Kill, Moment, Victim
from tests.chaos.rounds import Pace, Round
from tests.chaos.stage import Stage, make_stage
from tests.chaos.tally import Tally, Told, silent

from i2vedit_core.files import whole_file

JOBS_A_ROUND = 3
MOST_UNJUDGED = 3
"""Rounds that break off: after so many the run is given up. A machine that is far too busy does it, too."""
MOST_IDLE = 3
"""Rounds in a row in which no kill could be dealt."""


@dataclass
class Ledger:
    """How far a run is."""

    plan: list[Kill]
    left: list[Kill]
    truth: dict[int, Digest]
    """The undisturbed run's sequences, by seed."""
    pace: Pace
    tally: Tally
    rounds: int = 0

    def save(self, path: Path) -> None:
        """Writes it down."""
        saved = asdict(self) | {"tally": self.tally.saved()}
        with whole_file(path, 1, replace=True) as partial:
            partial.write_text(json.dumps(saved), encoding="utf-8")

    @classmethod
    def load(cls, path: Path, plan: list[Kill]) -> "Ledger | None":
        """None where there is none yet. Raises ValueError where it is another plan's."""
        if not path.exists():
            return None
        saved = json.loads(path.read_text(encoding="utf-8"))
        if _kills(saved["plan"]) != plan:
            raise ValueError(f"{path} is of another plan; give another folder, or the same --kills and --seed.")
        truth = {int(seed): {int(frame): told for frame, told in digest.items()} for seed, digest in saved["truth"].items()}
        return cls(plan, _kills(saved["left"]), truth, Pace(**saved["pace"]), Tally.restored(saved["tally"]), saved["rounds"])


def _kills(saved: list[dict[str, str]]) -> list[Kill]:
    return [Kill(Victim(each["victim"]), Moment(each["moment"]), float(each["fraction"])) for each in saved]


def run_chaos(root: Path, kills: list[Kill], jobs_a_round: int = JOBS_A_ROUND, told: Told = silent, seconds: float = float("inf")) -> Tally:
    """Deals every kill, or as many as the time allows; what has begun then is still brought to its end. `told` hears how far it is."""
    end = time.monotonic() + seconds
    note = root / "chaos.json"
    stage = make_stage(root / "stage")
    ledger = Ledger.load(note, kills) or _undisturbed(root / "undisturbed", stage, kills, jobs_a_round)
    ledger.save(note)
    told(f"undisturbed: {ledger.pace.start_seconds:.1f} s until a worker is ready, {ledger.pace.run_seconds:.1f} s a job")
    idle = 0
    while ledger.left and idle < MOST_IDLE and len(ledger.tally.unjudged) < MOST_UNJUDGED and time.monotonic() < end:
        before = len(ledger.left)
        _round(root, stage, ledger, jobs_a_round, told, end)
        ledger.save(note)
        idle = idle + 1 if len(ledger.left) == before else 0
        dealt, broken = len(kills) - len(ledger.left), len(ledger.tally.broken_promises())
        told(f"round {ledger.rounds}: {dealt} of {len(kills)} kills, {broken} broken promises")
    return ledger.tally


def _undisturbed(folder: Path, stage: Stage, kills: list[Kill], jobs_a_round: int) -> Ledger:
    shutil.rmtree(folder, ignore_errors=True)
    quiet = Round(folder, _jobs(stage, folder, jobs_a_round), Deck([]), Tally())
    quiet.run()
    return Ledger(kills, kills, quiet.digests(), quiet.pace(), Tally())


def _round(root: Path, stage: Stage, ledger: Ledger, jobs_a_round: int, told: Told, end: float) -> None:
    """One round. Its folder stays where something was broken in it."""
    ledger.rounds += 1
    folder, broken = root / f"round-{ledger.rounds}", len(ledger.tally.broken_promises())
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was interrupted
    deck = Deck(ledger.left, is_open=lambda: time.monotonic() < end)
    try:
        disturbed = Round(folder, _jobs(stage, folder, jobs_a_round), deck, ledger.tally, ledger.pace, told)
        disturbed.run()
        disturbed.compare(ledger.truth)
    except Exception as error:  # noqa: BLE001 - what one round meets must not cost what the others have found
        ledger.tally.unjudged.append(f"round {ledger.rounds}: {type(error).__name__}: {error}")
        told(f"  {ledger.tally.unjudged[-1]}")
    ledger.left = deck.left
    if len(ledger.tally.broken_promises()) == broken:
        shutil.rmtree(folder, ignore_errors=True)


def _jobs(stage: Stage, folder: Path, count: int) -> list[Job]:
    return [Job(seed, stage.spec(seed, folder / "out" / str(seed)), f"chaos-{seed}") for seed in range(count)]
