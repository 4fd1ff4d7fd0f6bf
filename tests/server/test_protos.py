"""The generated code is what the `.proto` files say."""

import re
import subprocess
import sys
from pathlib import Path

import i2vedit
from i2vedit.v1 import clip_pb2, job_pb2, propagation_service_pb2, shot_pb2

GENERATE = Path(i2vedit.__file__).resolve().parent.parent / "generate.py"


def test_the_generated_code_is_current() -> None:
    checked = subprocess.run([sys.executable, str(GENERATE), "--check"], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr


def test_every_call_is_tried_over_a_channel() -> None:
    """By name, wherever a test calls it: `.call("GetJob", …)`, the stub's own method, or the client's (`client.get_job(…)`)."""
    methods = {method.name for method in propagation_service_pb2.DESCRIPTOR.services_by_name["PropagationService"].methods}
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
    tried = set(re.findall(r'(?:\.call\(\s*"|stub\.)(\w+)', tests))
    tried |= {name.title().replace("_", "") for name in re.findall(r"client\.(\w+)\(", tests)}
    tried |= {name for name in methods if f".{name}Request(" in tests}
    assert methods <= tried, f"never called in a test: {sorted(methods - tried)}"


def test_every_enum_begins_unspecified_and_carries_its_name() -> None:
    enums = [
        enum for file in (clip_pb2, job_pb2, shot_pb2, propagation_service_pb2) for enum in file.DESCRIPTOR.enum_types_by_name.values()
    ]
    messages = (job_pb2.Job, job_pb2.JobProgress, shot_pb2.Shot, propagation_service_pb2.MemoryPlan)
    enums += [enum for message in messages for enum in message.DESCRIPTOR.enum_types]
    assert enums
    for enum in enums:
        assert enum.values[0].name.endswith("_UNSPECIFIED") and enum.values[0].number == 0
        prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
        assert all(value.name.startswith(prefix) for value in enum.values)
