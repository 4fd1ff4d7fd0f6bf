"""What the command says before any server is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("grpc", "rich", "google.protobuf", "torch", "numpy")
JOBS = [f"jobs {verb}" for verb in ("list", "show", "watch", "pause", "resume", "cancel", "retry", "delete", "move", "free")]
COMMANDS = (
    "demo",
    "frame",
    "propagate",
    "roundtrip",
    "jobs",
    "verify",
    "rerun",
    "models",
    "serve",
    "plugins",
    "host",
    "doctor",
    "uninstall",
)


def test_help_imports_nothing_heavy():
    code = f"""
import sys
sys.argv = ["i2vedit", "--help"]
from i2vedit_client.cli import main
try:
    main()
except SystemExit:
    pass
print("heavy:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "heavy: []"


def test_help_names_every_command(i2vedit):
    out = i2vedit("--help").out
    assert all(f"\n  {name} " in out for name in COMMANDS)
    assert i2vedit().out == out


@pytest.mark.parametrize("name", [*COMMANDS, *JOBS, "models check"])
def test_each_command_has_help(i2vedit, name):
    outcome = i2vedit(*name.split(), "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"Usage: i2vedit {name}")


def test_version_is_that_of_the_distribution(i2vedit):
    from importlib import metadata

    assert i2vedit("--version").out.strip() == f"i2vedit {metadata.version('i2vedit-bridge')}"


BAD_CALLS = [
    ("an unknown command", ["nonsense"], "No such command"),
    ("no edited frame", ["propagate", "a.mp4", "--out", "o"], "--edited"),
    ("no folder", ["propagate", "a.mp4", "--edited", "e.png"], "--out"),
    ("no clip", ["propagate", "--edited", "e.png", "--out", "o"], "CLIP"),
    ("a range that is no range", ["propagate", "a.mp4", "--edited", "e.png", "--out", "o", "--range", "ten"], "0-41"),
    ("an empty range", ["propagate", "a.mp4", "--edited", "e.png", "--out", "o", "--range", ""], "0-41"),
    ("a range backwards", ["propagate", "a.mp4", "--edited", "e.png", "--out", "o", "--range", "9-3"], "3-9"),
    ("a range beyond any number", ["propagate", "a.mp4", "--edited", "e.png", "--out", "o", "--range", f"0-{2**63}"], "outside"),
    ("a negative frame", ["propagate", "a.mp4", "--edited", "e.png", "--out", "o", "--at", "-1"], "--at"),
    ("an unknown preset", ["propagate", "a.mp4", "--edited", "e.png", "--out", "o", "--preset", "best"], "balanced"),
    ("a seed that is too large", ["propagate", "a.mp4", "--edited", "e.png", "--out", "o", "--seed", str(2**63)], "--seed"),
    ("a frame without a place", ["frame", "a.mp4"], "--out"),
    ("a frame outside its range", ["frame", "a.mp4", "--out", "o.png", "--range", "4-9", "--at", "3"], "--at"),
    ("a clip and a timeline", ["propagate", "a.mp4", "--otio", "c.otio", "--edited", "e.png", "--out", "o"], "--clip"),
    ("a round trip of nothing", ["roundtrip"], "CLIP"),
    ("an unknown host", ["plugins", "install", "nuke"], "blender"),
    ("a request that is not there", ["host", "begin", "no/such.json"], "cannot be read"),
    ("an unknown state", ["jobs", "list", "--state", "odd"], "queued"),
    ("an unknown priority", ["jobs", "move", "1", "--priority", "odd"], "high"),
]


@pytest.mark.parametrize(("arguments", "hint"), [call[1:] for call in BAD_CALLS], ids=[call[0] for call in BAD_CALLS])
def test_a_wrong_call_is_one_sentence_and_starts_no_server(i2vedit, arguments, hint):
    outcome = i2vedit(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err and "Traceback" not in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert not i2vedit.data.exists()

    as_json = i2vedit(*arguments, "--json")
    assert as_json.code == 2
    assert as_json.last["event"] == "failed"
    assert (as_json.last["code"], as_json.last["reason"]) == ("INVALID_ARGUMENT", "USAGE")


def test_debug_shows_the_traceback(i2vedit):
    outcome = i2vedit("--debug", "nonsense")
    assert outcome.code == 1
    assert "Traceback" in outcome.err


def test_a_path_that_is_not_utf8_is_refused_with_a_sentence(i2vedit, tmp_path):
    if sys.platform == "win32":
        pytest.skip("Windows has no such paths")
    words = ["-m", "i2vedit_client", "propagate", os.fsdecode(b"\xff.mp4"), "--edited", "e.png", "--out", "o"]
    answer = subprocess.run([sys.executable, *words], env=i2vedit.environment, capture_output=True, cwd=tmp_path)
    assert answer.returncode == 2
    assert b"UTF-8" in answer.stderr and b"Traceback" not in answer.stderr


def test_without_the_server_packages_a_sentence_says_how_to_install_them(i2vedit, tmp_path):
    """A Python that finds only the client's packages, as after `pip install .`."""
    blocker = tmp_path / "client_only"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text(_HIDE_SERVER_PACKAGES)
    environment = {**i2vedit.environment, "PYTHONPATH": str(blocker)}
    answer = subprocess.run(
        [sys.executable, "-m", "i2vedit_client", "jobs", "list", "--json"], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    assert answer.returncode == 3
    assert '"reason": "SERVER_NOT_INSTALLED"' in answer.stdout
    assert answer.stderr.rstrip().endswith('Run: pip install -c constraints.txt ".[server]" in the checkout of i2vedit-bridge')


_HIDE_SERVER_PACKAGES = """
import importlib.machinery

class Hidden(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in ("torch", "OpenImageIO", "grpc_health") else super().find_spec(name, path, target)

import sys
sys.meta_path = [Hidden if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
"""


def test_a_reader_that_goes_away_is_no_error(i2vedit):
    if sys.platform == "win32":
        pytest.skip("no such pipes")
    shell = f"'{sys.executable}' -m i2vedit_client doctor --json | head -1"
    answer = subprocess.run(["sh", "-c", shell], env=i2vedit.environment, capture_output=True, text=True)
    assert "Traceback" not in answer.stderr and "Exception" not in answer.stderr


def test_the_data_folder_is_the_users_own_unless_named(monkeypatch, tmp_path):
    from i2vedit_client.discovery import DATA_FOLDER_VARIABLE, data_folder

    monkeypatch.delenv(DATA_FOLDER_VARIABLE, raising=False)
    assert data_folder().name == "i2vedit" and data_folder().is_absolute()
    monkeypatch.setenv(DATA_FOLDER_VARIABLE, str(tmp_path))
    assert data_folder() == Path(tmp_path)


def test_doctor_gives_the_memory_plan_in_words_and_figures(i2vedit):
    lines = [json.loads(line) for line in i2vedit("doctor", "--json").out.splitlines()]
    finding = next(line for line in lines if line.get("name") == "memory")
    plan = finding["figures"]
    assert finding["ok"] and f"{plan['model']} at {plan['width']}x{plan['height']}" in finding["detail"]
    assert set(plan["stages"]) == {"encode", "invert", "train", "edit", "decode"}
    assert plan["fits"] == all(0 < peak <= plan["free_bytes"] <= plan["total_bytes"] for peak in plan["stages"].values())
    assert {"checkpointing", "offload", "decode_frames", "maps"} <= plan.keys()


SVD_PLAN = {
    "model": "svd",
    "width": 1024,
    "height": 576,
    "frames": 14,
    "free_bytes": 24_000_000_000,
    "total_bytes": 25_000_000_000,
    "stages": {"train": 13_200_000_000, "decode": 20_100_000_000},
    "checkpointing": True,
    "offload": True,
    "decode_frames": 7,
    "maps": "ram",
    "fits": True,
    "fitting_width": 1024,
    "fitting_height": 576,
}


def test_a_memory_plan_in_words():
    from i2vedit_client.words import plan_words

    said = plan_words(SVD_PLAN)
    assert said.startswith("svd at 1024x576, 14 frames needs up to 20.1 GB (decode) of 24.0 GB free, with gradient checkpointing")
    assert "idle models in host memory" in said and "7 frames decoded at once" in said and "attention maps in ram" in said
    smaller = plan_words({**SVD_PLAN, "fits": False, "fitting_width": 704, "fitting_height": 384})
    assert smaller.endswith("does not fit into 24.0 GB free of 25.0 GB; 704x384 does")
