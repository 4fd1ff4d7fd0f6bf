"""The command line of `chaos.py`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.plan import plan_kills
from tests.chaos.run import JOBS_A_ROUND, Ledger, run_chaos
from tests.chaos.tally import Tally


def main(arguments: list[str] | None = None) -> int:
    """Prints the table. Returns 1 where a promise was broken, 2 where not all kills were dealt."""
    options = _parser().parse_args(arguments)
    plan, began = plan_kills(options.kills, options.seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as temporary:
        folder = options.folder or Path(temporary)
        try:
            tally = run_chaos(folder, plan, options.jobs_a_round, _say, 60 * options.minutes)
        except KeyboardInterrupt:
            _say("interrupted; the round at hand does not count")
            ledger = Ledger.load(folder / "chaos.json", plan)
            tally = ledger.tally if ledger else Tally()
    _say(f"\n{tally.table()}")
    _say(f"{tally.kills.total()} of {len(plan)} kills, plan {options.seed}; this run took {(time.monotonic() - began) / 60:.1f} minutes.")
    broken = tally.broken_promises()
    for sentence in broken:
        _say(f"BROKEN: {sentence}")
    if broken:
        return 1
    return 0 if tally.kills.total() >= len(plan) else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tests/chaos/chaos.py", description="Kills a working server, and looks at what is lost.")
    parser.add_argument("--kills", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the plan of kills")
    parser.add_argument("--jobs-a-round", type=int, default=JOBS_A_ROUND, help="jobs that share a data folder")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which no further kill is dealt")
    parser.add_argument("--folder", type=Path, help="where everything is kept; the same folder again goes on (default: a temporary one)")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
