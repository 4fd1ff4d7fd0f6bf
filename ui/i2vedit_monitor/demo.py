"""The bundled shot, sent as a job of its own: what there is to try before one has footage and weights."""

from pathlib import Path

from i2vedit_client.client import Client
from i2vedit_client.commands.demo import make_shot
from i2vedit_client.painted import Painted
from i2vedit_client.spec import PropagateOptions, job_spec

FOLDER = "i2vedit_demo"


def submit_demo(client: Client, folder: Path | None = None) -> str:
    """Draws shot and painted frame where they are not there yet, and gives the name of the job. Raises ClientError, OSError."""
    place = folder or Path.home() / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    clip, edited = place / "shot.mp4", place / "edited.png"
    if not (clip.exists() and edited.exists()):
        make_shot(place)
    return client.create_job(job_spec(PropagateOptions(clip=str(clip), edits=(Painted(str(edited)),), directory=str(place)))).job.name
