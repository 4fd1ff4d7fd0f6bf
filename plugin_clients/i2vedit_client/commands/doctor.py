"""`i2vedit doctor`: what is wrong on this machine and how to mend it."""

from itertools import chain

import click

from i2vedit_client.commands.options import json_option
from i2vedit_client.diagnosis import CHECKS
from i2vedit_client.discovery import data_folder
from i2vedit_client.errors import ClientError, ExitCode, Failure
from i2vedit_client.events import SUCCEEDED
from i2vedit_client.finding import Finding
from i2vedit_client.plugins.check import plugin_findings
from i2vedit_client.plugins.machine import Machine
from i2vedit_client.report import write_json, write_line


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Look at everything that a job needs."""
    folder = data_folder()
    bad = []
    for finding in chain((check(folder) for check in CHECKS), plugin_findings(Machine())):
        if not finding.ok:
            bad.append(finding.name)
        _show(finding, as_json)
    if bad:
        sentence = f"To be mended: {', '.join(bad)}."
        raise ClientError(Failure("FAILED_PRECONDITION", "NOT_READY", sentence), ExitCode.FAILED)
    if as_json:
        write_json({"event": SUCCEEDED})
    else:
        write_line("Everything is in order.")


def _show(finding: Finding, as_json: bool) -> None:
    if as_json:
        mend = {} if finding.ok else {"mend": finding.mend}
        figures = {"figures": finding.figures} if finding.figures else {}
        write_json({"event": "check", "name": finding.name, "ok": finding.ok, "detail": finding.detail, **mend, **figures})
        return
    write_line(f"{'ok' if finding.ok else 'not ok':<7} {finding.name:<12} {finding.detail}")
    if not finding.ok:
        write_line(f"{'':<20} {finding.mend}")
