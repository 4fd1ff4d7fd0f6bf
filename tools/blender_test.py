"""Runs the tests of the Blender extension in the real Blender: `python3 tools/blender_test.py [4.5 5.0]`.

Blender comes as a Python package (`bpy`, about 400 MB each), which needs Python 3.11 and an environment of its own; these are made in
`.venv-blender-VERSION` once. Needs the checkout's own environment (`python3 dev.py setup`) and a few minutes.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = {"4.5": "bpy==4.5.*", "5.0": "bpy==5.0.1"}
BESIDE = "numpy<2"
SCRIPTS = "Scripts/python.exe" if os.name == "nt" else "bin/python"


def environment(version: str) -> Path:
    """The Python that has this Blender. Raises CalledProcessError where it cannot be installed."""
    folder = ROOT / f".venv-blender-{version}"
    python = folder / SCRIPTS
    if not (folder / "whole").exists():
        base = shutil.which("python3.11") or sys.executable
        subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", VERSIONS[version], BESIDE], check=True)
        (folder / "whole").touch()
    return python


def main(versions: list[str]) -> int:
    pythons = [str(environment(version)) for version in versions or VERSIONS]
    words = [str(ROOT / ".venv" / SCRIPTS), "-m", "pytest", "-q", "-n", "0", "tests/plugins/test_blender.py"]
    return subprocess.run(words, cwd=ROOT, env={**os.environ, "I2VEDIT_BPY": os.pathsep.join(pythons)}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
