"""How missing packages are installed: no index has this project, so they come from its checkout."""


def install_command(extra: str) -> str:
    """For the packages of an extra of `pyproject.toml`, such as `server`."""
    return f'pip install -c constraints.txt ".[{extra}]" in the checkout of i2vedit-bridge'
