"""Sets this checkout up and works on it, with nothing but Python: `python3 dev.py setup|demo|test|check|protos`.

Everything goes into `.venv` beside this file. The first set-up downloads; later ones notice that nothing has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "i2vedit-setup.stamp"
LOG = VENV / "i2vedit-setup.log"
OLDEST_PYTHON = (3, 11)
WINDOWS = os.name == "nt"
PROTOS = ROOT / "protos"
BUF = "@bufbuild/buf@1.75.0"
RELEASED = "released.binpb"
"""Descriptors of the last release, written at a release with `protoc --include_imports --descriptor_set_out`."""
WINDOWS_CUDA_INDEX = "https://download.pytorch.org/whl/cu130"
"""On Windows the usual index holds torch for the CPU alone; on Linux it holds the CUDA build."""

SIDE_BY_SIDE = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
"""Most tests wait for processes or run tiny models: a worker for each core, with one thread each. `-n 0` gives one process. The order of
the files is that of `tests/conftest.py`."""

USAGE = """python3 dev.py COMMAND [ARGUMENTS]

  setup    makes .venv and installs what server and tests need
  demo     the bundled shot through the whole way (arguments: those of `i2vedit demo`)
  test     check, then the tests (arguments: those of pytest)
  check    lint, format, types, who may import whom, generated protos, what buf says of them
  protos   generates the Python of the protos again
"""


class Stop(Exception):
    """The command cannot go on; the text says why and what to do."""


def environment_python() -> Path:
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


def fingerprint() -> str:
    """Changes with everything that decides what is installed, and when the checkout was moved."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    digest.update(f"{ROOT} {sys.version_info[:2]}".encode())
    return digest.hexdigest()


def is_current() -> bool:
    return environment_python().exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == fingerprint()


def run_logged(command: list[str], purpose: str) -> None:
    """Runs a step of the set-up; its output goes to the log, what is downloaded to the terminal as well."""
    last: deque[str] = deque(maxlen=12)
    with LOG.open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace"
        )
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            last.append(line.rstrip())
            if line.lstrip().startswith(("Downloading ", "Installing collected")):
                print("  " + line.strip()[:120], flush=True)
        code = process.wait()
    if code != 0:
        raise Stop(f"{purpose} failed. The last lines of {LOG}:\n  " + "\n  ".join(last))


def make_environment() -> None:
    if environment_python().exists():
        return
    print(f"Making {VENV}", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, errors="replace")
    if made.returncode != 0:
        lines = (made.stdout + made.stderr).strip().splitlines()[-6:]
        raise Stop("Python could not make a virtual environment (on Debian: apt install python3-venv):\n  " + "\n  ".join(lines))


def pinned_torch() -> str:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(pin for pin in pins if pin.startswith("torch=="))


def setup() -> None:
    """Makes `.venv` and installs this checkout into it. Does nothing where that is done already."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise Stop(f"Python {wanted} or newer is needed; this is {sys.version.split()[0]}. Run dev.py with a newer Python.")
    if is_current():
        return
    make_environment()
    LOG.write_text("", encoding="utf-8")
    pip = [str(environment_python()), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    print("Installing; the first time takes some minutes.", flush=True)
    if WINDOWS and shutil.which("nvidia-smi"):
        run_logged([*pip, "--index-url", WINDOWS_CUDA_INDEX, pinned_torch()], "Installing torch for CUDA")
    run_logged([*pip, "-c", "constraints.txt", "-e", ".[server,monitor,farm,dev]"], "Installing")
    STAMP.write_text(fingerprint(), encoding="utf-8")


def run(*arguments: str, **variables: str) -> int:
    """Runs the environment's Python in the checkout, with these variables of the environment, and gives its exit code."""
    try:
        return subprocess.run([str(environment_python()), *arguments], cwd=ROOT, env={**os.environ, **variables}).returncode
    except KeyboardInterrupt:
        return 130


def demo(arguments: list[str]) -> int:
    """The folder that the demo leaves is made where the person stands."""
    setup()
    try:
        return subprocess.run([str(environment_python()), "-m", "i2vedit_client", "demo", *arguments]).returncode
    except KeyboardInterrupt:
        return 130


def check() -> int:
    """Runs every check, also after one has failed, and names those that did."""
    setup()
    checks = {
        "lint": ("-m", "ruff", "check", "."),
        "format": ("-m", "ruff", "format", "--check", "."),
        "types": ("-m", "mypy"),
        "imports": ("-c", "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"),
        "protos": ("protos/generate.py", "--check"),
    }
    failed = []
    for name, arguments in checks.items():
        print(f"-- {name}", flush=True)
        if run(*arguments) != 0:
            failed.append(name)
    print("-- buf", flush=True)
    if not buf():
        failed.append("buf")
    if failed:
        print(f"Checks that failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def buf() -> bool:
    """Lints the protos, and compares them with those of the last release: what clients were built with must go on working."""
    npx = shutil.which("npx")
    tool = [npx or "", "--yes", BUF]
    if npx is None or subprocess.run([*tool, "--version"], cwd=PROTOS, capture_output=True).returncode != 0:
        print(f"Skipped: {BUF} comes through npm, and there is no npm here, or it cannot be fetched.", flush=True)
        return True
    linted = subprocess.run([*tool, "lint"], cwd=PROTOS).returncode
    compared = subprocess.run([*tool, "breaking", "--against", RELEASED], cwd=PROTOS).returncode
    return linted == compared == 0


def test(arguments: list[str]) -> int:
    checked = check()
    tested = run("-m", "pytest", *SIDE_BY_SIDE, *arguments, OMP_NUM_THREADS="1")
    return tested or checked


def protos() -> int:
    setup()
    return run("protos/generate.py")


def main(arguments: list[str]) -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if command == "setup" and not rest:
        setup()
        print(f"Ready: {environment_python()}")
        return 0
    if command == "demo":
        return demo(rest)
    if command == "test":
        return test(rest)
    if command == "check" and not rest:
        return check()
    if command == "protos" and not rest:
        return protos()
    print(USAGE)
    return 0 if command in ("-h", "--help") else 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(str(stop))
    except KeyboardInterrupt:
        sys.exit(130)
