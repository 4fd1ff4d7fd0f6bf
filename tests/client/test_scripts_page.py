"""docs/scripts.md names every event, field, reason and exit code of the command, and none that it does not have."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from i2vedit.v1 import delivery_pb2, job_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client import events
from i2vedit_client.commands.models import DOWNLOADING
from i2vedit_client.errors import BAD_INPUT_CODES, NO_SERVER_CODES, ExitCode
from i2vedit_core.errors import Reason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/scripts.md").read_text(encoding="utf-8")
SERVER = "\n## The server\n"
FAILURES = ("Failure", "ServerError", "TimingError", "_failed")
"""What is called with a reason."""
ENDS = {"SUCCEEDED": events.SUCCEEDED, "FAILED": events.FAILED, "CANCELLED": events.CANCELLED}
WORDS_ALONE = {"more"}
"""Said to people, where programs are told everything."""
CODES = {code.name for code in grpc.StatusCode}


def nodes() -> Iterator[ast.AST]:
    """All of the client's code."""
    for path in sorted((ROOT / "plugin_clients/i2vedit_client").rglob("*.py")):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def constants(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def told() -> Iterator[tuple[str, set[str]]]:
    """The events that stand in the code as dictionaries, and their fields."""
    for node in nodes():
        if not isinstance(node, ast.Dict):
            continue
        fields = {key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)}
        value = fields.get("event")
        if isinstance(value, ast.Constant):
            yield str(value.value), {str(field) for field in fields}
        elif isinstance(value, ast.Name) and value.id in ENDS:
            yield ENDS[value.id], {str(field) for field in fields}


def event_names() -> set[str]:
    """Also those that are named after what the server sends."""
    states = {name.removeprefix("STATE_").lower() for name in job_pb2.Job.State.DESCRIPTOR.values_by_name}
    findings = {name.removeprefix("KIND_").lower() for name in delivery_pb2.Finding.Kind.DESCRIPTOR.values_by_name}
    changes = {field.name for field in service_pb2.WatchJobsResponse.DESCRIPTOR.oneofs_by_name["event"].fields}
    named = states | findings | changes - {"preview"} | {DOWNLOADING}  # previews are never asked for
    return {name for name, _ in told()} | named - {"unspecified"} - WORDS_ALONE


def client_reasons() -> set[str]:
    found: set[str] = set()
    for node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAILURES:
            found |= {word for argument in node.args for word in constants(argument)}
        elif isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == "reason" for target in node.targets):
            found |= constants(node.value)
    return {word for word in found if re.fullmatch(r"[A-Z]+(_[A-Z]+)*", word)} - CODES


def first_cells(pattern: str) -> list[str]:
    """Names in the first column of the command's tables."""
    cells = [line.split("|")[1] for line in PAGE.split(SERVER)[0].splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(f"`({pattern})`", cell)]


def section(heading: str) -> str:
    return re.split(r"\n#+ ", PAGE.split(f"\n### {heading}\n")[1])[0]


def test_every_event_is_on_the_page_and_no_other():
    written = re.findall(r"^\| (`[^|]*`) \| ", section("Events").split("What `succeeded` has:")[0], re.MULTILINE)
    names = [name for cell in written for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(set(names)) == sorted(event_names() - WORDS_ALONE)
    assert len(names) == len(set(names)), "each stands there once"


@pytest.mark.parametrize(("name", "fields"), sorted({(name, tuple(sorted(fields))) for name, fields in told()}))
def test_every_field_of_an_event_is_on_the_page(name, fields):
    missing = [field for field in fields if f"`{field}`" not in PAGE and name not in WORDS_ALONE]
    assert not missing


def test_the_fields_of_a_job_in_full_are_on_the_page():
    job = job_pb2.Job(shot="shots/1", worker="host:1", stop_request=job_pb2.Job.STOP_REQUEST_PAUSE)
    job.quality.SetInParent()
    job.failure.SetInParent()
    for name in ("create_time", "start_time", "end_time", "lease_expire_time"):
        getattr(job, name).seconds = 1
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `job` |")]
    assert {name for name in events.summary(job) if f"`{name}`" not in row} == set()


def test_every_reason_is_on_the_page_and_no_other():
    written = first_cells("[A-Z]+(?:_[A-Z]+)*")
    assert sorted(written) == sorted({reason.value for reason in Reason} | client_reasons())


def test_exit_codes_stand_with_the_codes_that_lead_to_them():
    rows = {line.split("|")[1].strip(): set(re.findall(r"`([A-Z_]+)`", line)) for line in section("Exit codes").splitlines() if "|" in line}
    assert {str(int(code)) for code in ExitCode} <= set(rows)
    assert rows["2"] & CODES == BAD_INPUT_CODES and rows["3"] & CODES == NO_SERVER_CODES
