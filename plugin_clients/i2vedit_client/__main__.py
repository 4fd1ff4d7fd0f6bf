"""`python -m i2vedit_client` is the `i2vedit` command."""

from i2vedit_client.cli import main

if __name__ == "__main__":
    main()
