"""The server put together: folder, store, worker, RPCs; from the start to a tidy end."""

import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import FrameType

from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from i2vedit.v1 import propagation_service_pb2
from i2vedit.v1.propagation_service_pb2_grpc import add_PropagationServiceServicer_to_server
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.limits import impose
from i2vedit_core.versions import product_version
from i2vedit_server.config import ListenAddress, ServerConfig, checked_listen_address
from i2vedit_server.confinement import Confinement
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.database import Database
from i2vedit_server.farm.at_start import require_cluster
from i2vedit_server.guard import Activity, Guard
from i2vedit_server.hub import Hub
from i2vedit_server.logs import keep_out, log_to_file
from i2vedit_server.place import check_place
from i2vedit_server.remote_files import keep_tidy
from i2vedit_server.scheduler import Scheduler
from i2vedit_server.service import Parts, PropagationService
from i2vedit_server.tls import certificate_end, server_credentials
from i2vedit_server.uploads import Uploads

SERVICE = propagation_service_pb2.DESCRIPTOR.services_by_name["PropagationService"].full_name
LOCAL_ADDRESS = "127.0.0.1:0"
CALL_GRACE_SECONDS = 0.5
LONGEST_IDLE_LOOK_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ports:
    """Where the server answers."""

    local: str
    """What callers of this machine are told."""
    remote: str | None = None
    """With TLS, for everybody else."""


def check(config: ServerConfig) -> str:
    """What `--check` prints: a JSON object. Raises BridgeError where a server could not start with these settings."""
    address = checked_listen_address(config.listen, config.tls)
    check_place(config.data_folder)
    folder = DataFolder(config.data_folder, config.artifacts_folder)
    folder.create()
    nodes = require_cluster(config, folder.artifacts)
    end = certificate_end(config.tls).isoformat() if config.tls else None
    told = {"listen": address.text, "tls_certificate_end": end}
    return json.dumps(told if nodes is None else {**told, "nodes": nodes})


async def serve(config: ServerConfig) -> None:
    """Runs the server until a signal or idleness ends it. Raises BridgeError where it may not or cannot start."""
    address = checked_listen_address(config.listen, config.tls)
    check_place(config.data_folder)
    folder = DataFolder(config.data_folder, config.artifacts_folder)
    folder.create()
    with folder.lock():
        keep_out(folder.token())
        log_to_file(folder.server_log)
        impose(config.limits)
        await asyncio.to_thread(require_cluster, config, folder.artifacts)
        database = Database(folder.database)
        try:
            hub = Hub(await database(database.store.count_start))
            with _end_signals() as told:
                scheduler = Scheduler(config, folder, database, hub)
                uploads = Uploads(folder.uploads, config.upload_bytes)
                parts = Parts(folder, database, hub, scheduler, uploads, told.set, Confinement.of(config, folder))
                await _serve(config, address, parts, told)
        finally:
            await database.close()


async def _serve(config: ServerConfig, address: ListenAddress, parts: Parts, told: asyncio.Event) -> None:
    activity = Activity()
    server = await _grpc_server(parts, Guard(parts.folder.token(), activity, parts.folder.server_log, parts.confinement))
    ports = _bind(server, address, config)
    await server.start()
    async with _published(parts.folder, ports), _queue(parts.scheduler), _tidied(config, parts):
        _log.info("i2vedit server %s answers on %s, data folder %s", product_version(), ports, parts.folder.path)
        await _until_told(told, config.idle_exit_seconds, activity, parts.database)
        _log.info("i2vedit server stops")
        parts.hub.close()
        await server.stop(CALL_GRACE_SECONDS)


async def _grpc_server(parts: Parts, guard: Guard) -> aio.Server:
    # Without so_reuseport=0 a second server would share the port in silence.
    server = aio.server(interceptors=[guard], options=[("grpc.so_reuseport", 0)])
    add_PropagationServiceServicer_to_server(PropagationService(parts), server)
    health_servicer = health.aio.HealthServicer()
    await health_servicer.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return server


def _bind(server: aio.Server, address: ListenAddress, config: ServerConfig) -> Ports:
    """Takes the port, and behind an address that others can reach a second one for this machine, where no certificate is asked for.

    Raises BridgeError LISTEN_ADDRESS_TAKEN, TLS_UNUSABLE.
    """
    if address.is_loopback or config.tls is None:
        return Ports(_take(address.text, lambda: server.add_insecure_port(address.text)))
    credentials = server_credentials(config.tls)
    remote = _take(address.text, lambda: server.add_secure_port(address.text, credentials))
    return Ports(_take(LOCAL_ADDRESS, lambda: server.add_insecure_port(LOCAL_ADDRESS)), remote)


def _take(address: str, bind: Callable[[], int]) -> str:
    """`HOST:PORT` with the port that the server got. Raises BridgeError LISTEN_ADDRESS_TAKEN."""
    try:
        port = bind()
    except RuntimeError as error:
        raise _address_taken(address) from error
    if port == 0:
        raise _address_taken(address)
    return f"{address.rpartition(':')[0]}:{port}"


def _address_taken(address: str) -> BridgeError:
    sentence = f"The server cannot listen on {address}; another program has this port, or it is reserved. Port 0 takes a free one."
    return BridgeError(Code.ALREADY_EXISTS, Reason.LISTEN_ADDRESS_TAKEN, sentence)


@contextlib.asynccontextmanager
async def _published(folder: DataFolder, ports: Ports) -> AsyncIterator[None]:
    folder.publish(ports.local, product_version(), ports.remote)
    try:
        yield
    finally:
        folder.withdraw()


@contextlib.asynccontextmanager
async def _queue(scheduler: Scheduler) -> AsyncIterator[None]:
    running = asyncio.create_task(scheduler.run())
    try:
        yield
    finally:
        await scheduler.stop()
        await running


@contextlib.asynccontextmanager
async def _tidied(config: ServerConfig, parts: Parts) -> AsyncIterator[None]:
    tidying = asyncio.create_task(keep_tidy(config, parts.folder, parts.database))
    try:
        yield
    finally:
        tidying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tidying


async def _until_told(told: asyncio.Event, idle_exit_seconds: float | None, activity: Activity, database: Database) -> None:
    """Waits for a signal or for idleness."""
    wait = None if idle_exit_seconds is None else min(LONGEST_IDLE_LOOK_SECONDS, idle_exit_seconds / 4)
    while not told.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), wait)
        if idle_exit_seconds is not None and await _is_idle(idle_exit_seconds, activity, database):
            _log.info("nothing to do for %s s", idle_exit_seconds)
            return


async def _is_idle(seconds: float, activity: Activity, database: Database) -> bool:
    if await database(database.store.counts):
        activity.touch()  # the time begins when the last job has ended
    return activity.idle_seconds >= seconds


@contextlib.contextmanager
def _end_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set. By `signal.signal`: the loop's own handlers do not exist on Windows."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(told.set)

    earlier = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
