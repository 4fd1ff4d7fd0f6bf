"""A whole run: the undisturbed one first, then rounds of kills until all of the plan are dealt."""

from collections.abc import Callable
from pathlib import Path

from tests.chaos.jobs import Job
from tests.chaos.plan import Deck, Kill
from tests.chaos.rounds import Round
from tests.chaos.stage import Stage, make_stage
from tests.chaos.tally import Tally

JOBS_A_ROUND = 3


def run_chaos(root: Path, kills: list[Kill], jobs_a_round: int = JOBS_A_ROUND, told: Callable[[str], None] = lambda line: None) -> Tally:
    """Deals every kill. `told` hears how far it is."""
    stage = make_stage(root / "stage")
    quiet = Round(root / "undisturbed", _jobs(stage, root / "undisturbed", jobs_a_round), Deck([]), Tally())
    quiet.run()
    truth, pace = quiet.digests(), quiet.pace()
    told(f"undisturbed: {pace.start_seconds:.1f} s until a worker is ready, {pace.run_seconds:.1f} s a job")
    tally, deck, number = Tally(), Deck(kills), 0
    while len(deck):
        number += 1
        folder = root / f"round-{number}"
        disturbed = Round(folder, _jobs(stage, folder, jobs_a_round), deck, tally, pace)
        disturbed.run()
        disturbed.compare(truth)
        told(f"round {number}: {len(kills) - len(deck)} of {len(kills)} kills, {len(tally.broken_promises())} broken promises")
    return tally


def _jobs(stage: Stage, folder: Path, count: int) -> list[Job]:
    return [Job(seed, stage.spec(seed, folder / "out" / str(seed)), f"chaos-{seed}") for seed in range(count)]
