"""The command line of `chaos.py`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.plan import plan_kills
from tests.chaos.run import JOBS_A_ROUND, run_chaos


def main(arguments: list[str] | None = None) -> int:
    """Prints the table. Returns 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python tests/chaos/chaos.py", description="Kills a working server, and looks at what is lost.")
    parser.add_argument("--kills", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the plan of kills")
    parser.add_argument("--jobs-a-round", type=int, default=JOBS_A_ROUND, help="jobs that share a data folder")
    parser.add_argument("--folder", type=Path, help="where everything is kept (default: a temporary folder that goes)")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        tally = run_chaos(options.folder or Path(temporary), plan_kills(options.kills, options.seed), options.jobs_a_round, _say)
    _say(f"\n{tally.table()}")
    _say(f"{tally.kills.total()} kills in {(time.monotonic() - began) / 60:.1f} minutes, plan {options.seed}.")
    broken = tally.broken_promises()
    for sentence in broken:
        _say(f"BROKEN: {sentence}")
    return 1 if broken else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
