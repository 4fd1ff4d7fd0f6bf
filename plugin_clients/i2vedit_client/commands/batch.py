"""`i2vedit batch`: many shots, one report."""

from pathlib import Path
from typing import Any

import click

from i2vedit_client.batch.report import CANCELLED, FAILED, SUCCEEDED, BatchReport
from i2vedit_client.batch.running import BatchRun
from i2vedit_client.batch.shots import Batch, ShotJob, check, read_batch
from i2vedit_client.batch.table import Problem
from i2vedit_client.batch.view import open_view
from i2vedit_client.commands.options import handles_option, json_option, making_options
from i2vedit_client.counting import counted
from i2vedit_client.errors import BadInput, ClientError, ExitCode, Failure
from i2vedit_client.events import Event
from i2vedit_client.launch import connect
from i2vedit_client.remote import is_remote
from i2vedit_client.report import Report, write_json
from i2vedit_client.spec import absolute


@click.command("batch")
@click.argument("file")
@click.option("--edited-dir", metavar="DIR", help="Of a timeline: painted frames, called like its clips: NAME.png, or NAME.FRAME.png.")
@click.option("--out", metavar="DIR", help="Folder that receives NAME_v001, NAME_v002, ... of rows that name none.")
@handles_option
@making_options
@click.option("--again", is_flag=True, help="Only what the last report does not call done.")
@click.option("--dry-run", is_flag=True, help="Check all rows, say what would be done, and do nothing.")
@click.option("--detach", is_flag=True, help="Submit, and do not wait.")
@json_option
def command(
    file: str, edited_dir: str | None, out: str | None, again: bool, dry_run: bool, detach: bool, as_json: bool, **making: Any
) -> None:
    """Propagate every row of a table, or every painted clip of a timeline, and write one report.

    FILE is a CSV whose columns are the options of `propagate` (clip, edited, at, range, out, model, ...), with | between several values; or
    an .otio whose clips name their painted frames in their metadata ({"i2vedit": {"edited": ..., "at": ...}}) or find them in --edited-dir.
    Relative paths count from the folder of FILE; options given here hold for every row that says nothing else.

    All rows are checked before anything is submitted. FILE_report.csv and FILE_report.json say what became of each.
    """
    path = Path(absolute(file))
    defaults = {**making, "out": absolute(out) if out else None}
    batch = read_batch(path, Path(absolute(edited_dir)) if edited_dir else None, defaults)
    remote, jobs = is_remote(), []
    if batch.rows:
        with connect() as client:
            jobs = check(client, batch, remote)
    _refuse(batch, as_json)
    with open_view(as_json) as tell:
        if batch.unpainted:
            tell({"event": "skipped", "count": len(batch.unpainted)})
        if dry_run:
            _plan(jobs, tell)
            return
        report = BatchReport(path, batch.delimiter, jobs)
        run = BatchRun(connect, jobs, report, tell, remote)
        try:
            _run(run, report, tell, again, detach)
        except KeyboardInterrupt:
            raise _interrupted(file, report) from None
        tell(_end(report, detach))


def _refuse(batch: Batch, as_json: bool) -> None:
    """Raises BadInput where a row cannot be submitted, after all of them were told, or where there is none."""
    for problem in batch.problems:
        _tell_problem(problem, as_json)
    if batch.problems:
        rows = len({problem.row for problem in batch.problems})
        raise BadInput(f"{rows} of {counted(rows + len(_sound(batch)), 'row')} of {batch.file.name} cannot be used; nothing was submitted.")
    if not batch.rows:
        hint = "Name painted frames in its clips' metadata, or with --edited-dir." if batch.unpainted else "Add a row for each shot."
        raise BadInput(f"{batch.file.name} has nothing to propagate. {hint}")


def _sound(batch: Batch) -> set[int]:
    return {row.number for row in batch.rows} - {problem.row for problem in batch.problems}


def _tell_problem(problem: Problem, as_json: bool) -> None:
    if as_json:
        write_json({"event": "problem", "row": problem.row, "message": problem.sentence})
    else:
        click.echo(f"Row {problem.row}: {problem.sentence}", err=True)


def _plan(jobs: list[ShotJob], tell: Report) -> None:
    for job in jobs:
        event: Event = {"event": "plan", "row": job.number, "clip": job.name, "out": job.spec.delivery.directory}
        event["painted"] = [edit.frame for edit in job.spec.edits if edit.HasField("frame")]
        if job.frames is not None:
            event |= {"first": job.frames[0], "last": job.frames[1]}
        tell(event)
    tell({"event": SUCCEEDED, "dry_run": True, "rows": len(jobs)})


def _run(run: BatchRun, report: BatchReport, tell: Report, again: bool, detach: bool) -> None:
    """Raises ServerError, BadInput."""
    with connect() as client:
        if again:
            report.recall()
            run.take_up(client)
            if kept := report.count(SUCCEEDED):
                tell({"event": "kept", "count": kept})
        report.write()
        if submitted := run.submit(client):
            tell({"event": "batch_submitted", "count": submitted})
    if not detach:
        run.follow()


def _interrupted(file: str, report: BatchReport) -> ClientError:
    sentence = (
        f"{counted(len(report.unfinished()), 'job goes', 'jobs go')} on without this window. See: i2vedit jobs list – "
        f"go on here, with what was not submitted yet: i2vedit batch {file} --again"
    )
    return ClientError(Failure("CANCELLED", "INTERRUPTED", sentence), ExitCode.INTERRUPTED)


def _end(report: BatchReport, detached: bool) -> Event:
    """The last event. Raises ClientError where a row was not done."""
    rows, lost = len(report.outcomes), report.count(FAILED, CANCELLED)
    if lost:
        sentence = (
            f"{lost} of {counted(rows, 'shot is', 'shots are')} not done; {report.csv_path} says why. Mend that, and call it with --again."
        )
        raise ClientError(Failure("ABORTED", "BATCH_INCOMPLETE", sentence), ExitCode.FAILED)
    return {"event": SUCCEEDED, "rows": rows, "report": str(report.csv_path), **({"detached": True} if detached else {})}
