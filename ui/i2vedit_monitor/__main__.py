"""`python -m i2vedit_monitor` is the window."""

import sys

from i2vedit_monitor.app import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
