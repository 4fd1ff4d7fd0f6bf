"""`python -m i2vedit_server.farm.check ARTIFACTS`: looks at the cluster that RAY_ADDRESS names; prints a line of JSON."""

import json
import os
import sys
from pathlib import Path

from i2vedit_core.errors import BridgeError
from i2vedit_server.farm.cluster import connected


def main(artifacts: Path) -> None:
    """`{"nodes": N}`, or code, reason and sentence of what is in the way."""
    try:
        with connected(os.environ["RAY_ADDRESS"], artifacts) as cluster:
            # Which of them jobs will use is known when torch is imported, which takes seconds.
            told: dict[str, object] = {"nodes": cluster.require_nodes("GPU", "CPU")}
    except BridgeError as error:
        told = {"code": error.code.value, "reason": error.reason.value, "sentence": error.sentence}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
