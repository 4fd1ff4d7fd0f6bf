"""What the RPCs stand on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grpc import aio

from i2vedit_server.confinement import Confinement
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.database import Database
from i2vedit_server.hub import Hub
from i2vedit_server.scheduler import Scheduler
from i2vedit_server.uploads import Uploads

Context = aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class Parts:
    """The server's inner parts, as its calls see them."""

    folder: DataFolder
    database: Database
    hub: Hub
    scheduler: Scheduler
    uploads: Uploads
    end: Callable[[], None]
    """Tells the server to stop, as a signal does."""
    confinement: Confinement
