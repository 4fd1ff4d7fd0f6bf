"""What can happen, as the watcher hands it to the window."""

from dataclasses import dataclass

from i2vedit_monitor.model.facts import Contact, JobFacts, Progress, ServerFacts


@dataclass(frozen=True, slots=True)
class JobTold:
    """The whole job."""

    job: JobFacts


@dataclass(frozen=True, slots=True)
class Progressed:
    """The job is one step further."""

    name: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class FrameLanded:
    """A frame lies whole under its final name."""

    name: str
    frame: int
    path: str


@dataclass(frozen=True, slots=True)
class PreviewSeen:
    """A picture of a frame that is being denoised, as an encoded image."""

    name: str
    frame: int
    chunk: int
    step: int
    image: bytes


@dataclass(frozen=True, slots=True)
class JobForgotten:
    """The server knows the job no more."""

    name: str


@dataclass(frozen=True, slots=True)
class AllTold:
    """Every job of the server has been told; others are forgotten."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """How the window stands with the server, with a sentence where something is wrong."""

    contact: Contact
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class ServerTold:
    """What the server says about itself."""

    server: ServerFacts


Change = JobTold | Progressed | FrameLanded | PreviewSeen | JobForgotten | AllTold | ContactChanged | ServerTold
