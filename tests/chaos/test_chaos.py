"""The chaos script in small: two kills, with real processes, and nothing lost, broken or done twice."""

from pathlib import Path

import pytest
from tests.chaos.plan import Kill, Moment, Victim
from tests.chaos.run import run_chaos

KILLS = [
    Kill(Victim.WORKER, Moment.CHECKPOINT, 0),
    Kill(Victim.BOTH, Moment.FRAME, 0),
]


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_few_kills_lose_break_and_change_nothing(tmp_path: Path) -> None:
    tally = run_chaos(tmp_path, KILLS, jobs_a_round=2)
    assert tally.broken_promises() == []
    assert tally.kills.total() == len(KILLS)
    assert tally.jobs >= 2 and tally.files_read > 0 and tally.redone
