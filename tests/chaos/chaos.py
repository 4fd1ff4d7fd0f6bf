"""Kills a working server again and again, and prints what was killed, lost, broken and done twice.

python tests/chaos/chaos.py --kills 200 [--seed N] [--minutes M] [--folder DIR]

Real processes, real jobs of the product's own runner on a tiny model of random weights. Ends with code 1 where a promise is broken.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.chaos.command import main

    sys.exit(main())
