"""`i2vedit plugins`: the host files where each host looks."""

import click

from i2vedit_client.commands.options import json_option
from i2vedit_client.events import SUCCEEDED
from i2vedit_client.plugins.hosts import PLUGINS
from i2vedit_client.plugins.install import install, launcher_answers, state, uninstall
from i2vedit_client.plugins.launcher import launcher_path
from i2vedit_client.plugins.machine import Machine
from i2vedit_client.report import write_json, write_line

host_argument = click.argument("host", type=click.Choice(list(PLUGINS)))


@click.group("plugins")
def command() -> None:
    """Install the plugin of a host, with the absolute path of this command in it."""


@command.command("install")
@host_argument
@json_option
def install_plugin(host: str, as_json: bool) -> None:
    """Put the files of a host where it looks for them."""
    machine = Machine()
    files = install(host, machine)
    works = launcher_answers(machine)
    if as_json:
        paths = [str(path) for path in files]
        event = {"event": SUCCEEDED, "host": host, "files": paths, "launcher": str(launcher_path(machine)), "launcher_works": works}
        write_json({**event, "switch_on": PLUGINS[host].switch_on})
        return
    for path in files:
        write_line(f"Written: {path}")
    write_line(PLUGINS[host].switch_on)
    if not works:
        write_line(f"The launcher {launcher_path(machine)} does not run. `i2vedit doctor` says more.")


@command.command("list")
@json_option
def list_plugins(as_json: bool) -> None:
    """Say which hosts are here, and which have their plugin."""
    machine = Machine()
    for host, wanted in PLUGINS.items():
        found = state(host, machine)
        words = found.problem or ("installed" if found.installed else "not installed" if found.found else "not on this machine")
        if as_json:
            folders = [str(folder) for folder in found.found]
            write_json({"event": "plugin", "host": host, "folders": folders, "installed": bool(found.installed), "state": words})
        else:
            write_line(f"{host:<14} {wanted.title:<16} {words}")
    if as_json:
        write_json({"event": SUCCEEDED})


@command.command("uninstall")
@host_argument
@json_option
def uninstall_plugin(host: str, as_json: bool) -> None:
    """Take the files of a host away again."""
    gone = uninstall(host, Machine())
    if as_json:
        write_json({"event": SUCCEEDED, "host": host, "files": [str(path) for path in gone]})
    elif not gone:
        write_line(f"{PLUGINS[host].title} has no plugin; there is nothing to take away.")
    for path in gone if not as_json else []:
        write_line(f"Gone: {path}")
