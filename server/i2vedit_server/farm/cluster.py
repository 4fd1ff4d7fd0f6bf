"""The connection to a Ray cluster, and whether its nodes can work for this machine."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.farm.terms import Terms, accept, offered, require_answer
from i2vedit_server.installing import install_command

CONNECT_SECONDS = 5.0
NODE_SECONDS = 60.0
"""A node that has just started takes seconds to start its first process."""
IMPORT_FAILED = "failed to import"
"""What Ray says where a node lacks our package."""
INSTALL_FARM = install_command("server,farm")
WRONG_TOKEN = "InvalidAuthToken"
"""What it says of a cluster that asks for another token, or for one at all."""

_log = logging.getLogger(__name__)


def require_ray() -> Any:
    """The library. Raises BridgeError LIBRARY_MISSING."""
    try:
        import ray
    except ImportError as error:
        sentence = f"Ray is not installed here. Run: {INSTALL_FARM}, or use --executor local."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.LIBRARY_MISSING, sentence) from error
    return ray


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to."""

    address: str
    terms: Terms

    def slots(self, resource: str) -> int:
        """How many tasks that each want one of this resource, `GPU` or `CPU`, run at once."""
        return int(require_ray().cluster_resources().get(resource, 0))

    def require_nodes(self, *resources: str) -> int:
        """How many nodes have one of these resources; each of them must share the artifacts and compute as this machine does.

        Raises BridgeError STORAGE_NOT_SHARED, VERSION_MISMATCH, RAY_UNREACHABLE, and RAY_UNSUITABLE where no node has any.
        """
        nodes = [node for node in require_ray().nodes() if node["Alive"] and any(node["Resources"].get(each, 0) >= 1 for each in resources)]
        if not nodes:
            raise self._unsuitable(resources[0])
        asked = [(node, _on_node(node["NodeID"]).remote(self.terms)) for node in nodes]
        for node, reference in asked:
            self._take_answer(node["NodeManagerHostname"], reference)
        return len(nodes)

    def _take_answer(self, node: str, reference: Any) -> None:
        exceptions = require_ray().exceptions
        try:
            answer = require_ray().get(reference, timeout=NODE_SECONDS)
        except exceptions.RayTaskError as error:
            raise told_by(node, error, self.terms) from error
        except (exceptions.GetTimeoutError, exceptions.RayError) as error:
            sentence = f"The node {node} of the Ray cluster does not answer ({type(error).__name__}); look after it, or take it out."
            raise BridgeError(Code.UNAVAILABLE, Reason.RAY_UNREACHABLE, sentence) from error
        require_answer(node, self.terms, answer)

    def _unsuitable(self, resource: str) -> BridgeError:
        sentence = (
            f"No node of the Ray cluster at {self.address} has a {resource}, which this machine computes on. Start Ray on machines "
            "that have one, or use --executor local."
        )
        return BridgeError(Code.FAILED_PRECONDITION, Reason.RAY_UNSUITABLE, sentence)


@contextmanager
def connected(address: str, artifacts: Path) -> Iterator[Cluster]:
    """Inside the block, this process is connected. At its end, every process that worked for it on the cluster ends, and frees its memory.

    Raises BridgeError LIBRARY_MISSING, RAY_UNREACHABLE, VERSION_MISMATCH, OUTPUT_NOT_WRITABLE, DISK_FULL.
    """
    ray = require_ray()
    if address != "auto":
        _require_listener(address)
    with offered(artifacts) as terms:
        try:
            _connect(address)
            yield Cluster(address, terms)
        finally:
            ray.shutdown()


def _connect(address: str) -> None:
    ray = require_ray()
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False, namespace="i2vedit")
    except RuntimeError as error:
        raise _refused(address, error) from error
    except (ConnectionError, ValueError) as error:
        raise (lets_nobody_in if WRONG_TOKEN in str(error.__cause__) else unreachable)(address) from error
    except (ray.exceptions.AuthenticationError, SystemExit) as error:  # Ray ends the process where nobody behind an address lets it in
        raise lets_nobody_in(address) from error


def unreachable(address: str) -> BridgeError:
    where = "This machine belongs to no Ray cluster" if address == "auto" else f"There is no Ray at {address}"
    sentence = f"{where}. Start it (ray start --head, on further machines ray start --address=HEAD:6379), or give another --ray-address."
    return BridgeError(Code.UNAVAILABLE, Reason.RAY_UNREACHABLE, sentence)


def lets_nobody_in(address: str) -> BridgeError:
    """Something answers there."""
    sentence = (
        f"What answers at {address} is no Ray that lets this machine in: it is another program, or it asks for its token. Give another "
        "--ray-address, or set RAY_AUTH_MODE=token here and have the cluster's token in ~/.ray/auth_token."
    )
    return BridgeError(Code.UNAVAILABLE, Reason.RAY_UNREACHABLE, sentence)


def told_by(node: str, error: Any, terms: Terms) -> BridgeError:
    """What an error of a task on a node means. An error that nobody foresaw goes on as it is: raises it."""
    if isinstance(error.cause, BridgeError):
        return error.cause
    if IMPORT_FAILED in str(error) or isinstance(error.cause, ImportError):
        version = terms.versions.get("i2vedit-bridge", "")
        sentence = f"The node {node} has no i2vedit-bridge {version}, or not all of it. Run there: {INSTALL_FARM}"
        return BridgeError(Code.FAILED_PRECONDITION, Reason.VERSION_MISMATCH, sentence)
    raise error


def _on_node(node_id: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return require_ray().remote(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False))(accept)


def _require_listener(address: str) -> None:
    """Ray itself looks for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise unreachable(address) from error


def _refused(address: str, error: RuntimeError) -> BridgeError:
    if "ersion mismatch" not in str(error):
        _log.warning("Ray at %s refused: %s", address, error)
        return unreachable(address)
    told = " ".join(str(error).split())
    sentence = f"The Ray at {address} is not of this machine's version: {told} Install the same versions on all machines (constraints.txt)."
    return BridgeError(Code.FAILED_PRECONDITION, Reason.VERSION_MISMATCH, sentence)
