"""How missing packages are installed: no index has this project, so they come from its checkout."""


def install_command(extras: str) -> str:
    """For the packages of one extra of `pyproject.toml` or several: `server`, `server,farm`."""
    return f'pip install -c constraints.txt ".[{extras}]" in the checkout of i2vedit-bridge'
