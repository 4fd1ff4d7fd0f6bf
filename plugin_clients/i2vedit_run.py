"""Runs the `i2vedit` command from inside a host, without ever waiting for it. Standard library only, Python 3.6 or newer.

Every call writes its answer into a file; `Call.done` looks whether it is there. `plugins install` puts this file beside each plugin.
"""

import json
import os
import shutil
import subprocess
import tempfile

# Hosts bring their own libraries and their own Python; ours must meet neither. The launcher clears them as well, but a
# shell that is started with a foreign C library does not live to do it.
HOSTILE = (
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
    "DYLD_INSERT_LIBRARIES",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONEXECUTABLE",
    "OCIO",
    "QT_PLUGIN_PATH",
)
NO_WINDOW = 0x08000000


class Failed(Exception):
    """The command answered with a failure. The text is a sentence for the artist, `reason` is for programs."""

    def __init__(self, sentence, reason):
        Exception.__init__(self, sentence)
        self.reason = reason


def clean_environment():
    return {name: value for name, value in os.environ.items() if name not in HOSTILE}


class Call:
    """One run of `i2vedit host ...`."""

    def __init__(self, launcher, words, request=None):
        """`request` is a dictionary, which becomes the file that `begin` reads. Raises Failed where the launcher is gone."""
        self._folder = tempfile.mkdtemp(prefix="i2vedit-")
        self._answer = os.path.join(self._folder, "answer.json")
        command = [launcher, "host", *list(words)]
        if request is not None:
            path = os.path.join(self._folder, "request.json")
            with open(path, "w") as file:
                json.dump(request, file)
            command.insert(3, path)
        command += ["--answer", self._answer, "--json"]
        try:
            self._process = subprocess.Popen(command, env=clean_environment(), cwd=self._folder, **_quiet())
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise Failed(f"The i2vedit command cannot be started ({error}). Run: i2vedit plugins install", "NOT_INSTALLED") from None

    def done(self):
        """Whether it has ended. Takes no time."""
        return self._process.poll() is not None

    def answer(self):
        """The answer of a call that is done. Raises Failed."""
        try:
            with open(self._answer) as file:
                answer = json.load(file)
        except (OSError, ValueError):
            raise Failed("The i2vedit command gave no answer. `i2vedit doctor` in a terminal says what is wrong.", "NO_ANSWER") from None
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        if answer.get("event") != "succeeded":
            raise Failed(answer.get("message", "The command failed."), answer.get("reason", "UNKNOWN"))
        return answer


def _quiet():
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.name == "nt":
        quiet["creationflags"] = NO_WINDOW
    return quiet


def read_status(path):
    """What a session's status file says; empty before there is one. Takes no time: another process keeps it fresh."""
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def pictures(placement):
    """The files of a placement, in the order in which they are shown."""
    first, count = placement["first_number"], placement["count"]
    return [os.path.join(placement["directory"], placement["pattern"] % number) for number in range(first, first + count)]
