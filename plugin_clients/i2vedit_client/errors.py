"""What can go wrong between a person and the server, each with its exit code."""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Scripts compare these; they never change."""

    SUCCESS = 0
    FAILED = 1
    BAD_INPUT = 2
    NO_SERVER = 3
    INTERRUPTED = 130


NO_SERVER_CODES = frozenset({"UNAVAILABLE", "UNAUTHENTICATED", "DEADLINE_EXCEEDED"})
BAD_INPUT_CODES = frozenset(
    {"INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE", "FAILED_PRECONDITION", "PERMISSION_DENIED", "ALREADY_EXISTS", "DATA_LOSS"}
    | {"UNIMPLEMENTED"}
)


@dataclass(frozen=True)
class Failure:
    """An error as programs read it: canonical gRPC code, stable reason, and the job that it ended, if any."""

    code: str
    reason: str
    sentence: str
    job: str = ""


class ClientError(Exception):
    """An expected failure. `event` is the name of the last line that `--json` gives."""

    event = "failed"

    def __init__(self, failure: Failure, exit_code: ExitCode) -> None:
        super().__init__(failure.sentence)
        self.failure = failure
        self.exit_code = exit_code


class BadInput(ClientError):
    """The command was given something that cannot be used."""

    def __init__(self, sentence: str) -> None:
        super().__init__(Failure("INVALID_ARGUMENT", "USAGE", sentence), ExitCode.BAD_INPUT)


class ServerError(ClientError):
    """The server refused a call, or could not be reached."""

    def __init__(self, code: str, reason: str, sentence: str) -> None:
        exit_code = ExitCode.NO_SERVER if code in NO_SERVER_CODES else ExitCode.BAD_INPUT if code in BAD_INPUT_CODES else ExitCode.FAILED
        super().__init__(Failure(code, reason, sentence), exit_code)


class JobFailed(ClientError):
    """The job ended without a result."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure, ExitCode.FAILED)


class JobCancelled(ClientError):
    """Somebody cancelled the job."""

    event = "cancelled"

    def __init__(self, job: str) -> None:
        super().__init__(Failure("CANCELLED", "CANCELLED", "The job was cancelled.", job), ExitCode.FAILED)


class Interrupted(ClientError):
    """Ctrl-C: the person stopped watching. The job belongs to the server and goes on."""

    def __init__(self, job: str) -> None:
        number = job.removeprefix("jobs/")
        sentence = f"The job goes on without this window. Watch it: i2vedit jobs watch {number} – stop it: i2vedit jobs cancel {number}"
        super().__init__(Failure("CANCELLED", "INTERRUPTED", sentence, job), ExitCode.INTERRUPTED)


def unexpected(error: Exception) -> ClientError:
    """For whatever nobody has thought of: a person sees a sentence, never a traceback."""
    sentence = f"Something went wrong that this command did not expect ({type(error).__name__}: {error}). `i2vedit --debug …` shows where."
    return ClientError(Failure("INTERNAL", "UNEXPECTED", sentence), ExitCode.FAILED)
