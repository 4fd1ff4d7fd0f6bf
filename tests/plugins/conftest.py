"""The files of the hosts, which lie beside the client and are no part of it."""

import sys
from pathlib import Path

PLUGINS = Path(__file__).parents[2] / "plugin_clients"
sys.path[:0] = [str(PLUGINS), str(PLUGINS / "resolve")]
