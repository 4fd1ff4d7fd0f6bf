"""How a job is run with Ray: its chunks are prepared on the cluster, then edited in their order here, where everything is found prepared.

The same interface as `i2vedit_server.runner`, and the same results. Torch computes with one thread, here and on the nodes, unless a
delivery is made again that was made with more.
"""

import os
from pathlib import Path

from i2vedit_core.apart import is_prepared, recipe_for
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.cuts import reported_cuts
from i2vedit_core.delivery.painted import read_painted
from i2vedit_core.job import Job
from i2vedit_core.legs import Leg
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.pace import paced
from i2vedit_core.pins import all_edits
from i2vedit_core.planned import fit_for, request_for
from i2vedit_core.prepare import legs_from, preparations
from i2vedit_core.progress import CancelToken, Reporter
from i2vedit_core.propagate import minding_cuts
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Shot
from i2vedit_core.work import Work
from i2vedit_server import runner
from i2vedit_server.farm.cluster import Cluster, connected
from i2vedit_server.farm.preparing import Dealer
from i2vedit_server.messages import DeviceFound, JobOrder, ShotOrder
from i2vedit_server.worker_main import Report

THREADS = 1


def run_job(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Prepares on the cluster that RAY_ADDRESS names what is not prepared yet, then goes on as the local runner. Raises BridgeError."""
    repeats = order.repeats if isinstance(order, JobOrder) else None
    with runner.threads_of(repeats.threads if repeats is not None else THREADS):
        prepare(order, report, token)
        return runner.run_job(order, report, token) if isinstance(order, JobOrder) else None


def prepare(order: ShotOrder, report: Report, token: CancelToken) -> None:
    """Leaves every chunk of the order in the artifacts."""
    shot, backbone = Shot.open(order.clip, order.first, order.last), runner.backbone_of(order)
    token.check()
    settings = paced(shot, order.settings, backbone.chunk_frames)
    reporter, artifacts = Reporter(report, token), order.places.artifacts
    if isinstance(order, JobOrder):
        legs = legs_of_job(order, shot, settings, backbone, reporter)
    else:
        legs = legs_from(shot, order.keys, settings, reported_cuts(shot, settings, Artifacts(artifacts), reporter))
    workplace, fit = Workplace(Artifacts(artifacts), reporter), fit_for(shot, settings, backbone)
    made = preparations(shot, legs, fit, settings, backbone, workplace)
    if all(map(is_prepared, made)):
        return
    resource = "GPU" if backbone.device.type == "cuda" else "CPU"
    with connected(os.environ["RAY_ADDRESS"], artifacts) as cluster:
        report(DeviceFound(_words(cluster, cluster.require_nodes(resource), backbone)))
        dealer, request = Dealer(cluster, resource, token), request_for(shot, settings, backbone)
        for preparation in made:
            dealer.prepare(preparation, recipe_for(preparation, request))


def legs_of_job(order: JobOrder, shot: Shot, settings: Settings, backbone: Backbone, reporter: Reporter) -> list[Leg]:
    """What begins where nothing was painted is the plate's. Raises BridgeError EDIT_*, PIN_UNUSABLE, SHOT_CUT."""
    pins = order.pinned.open(shot, order.delivery) if order.pinned else None
    edits = all_edits([edit.open(shot) for edit in order.edits], shot, pins)
    painted = tuple(read_painted(edit, shot) for edit in edits)
    work, artifacts = Work(order.places.work), Artifacts(order.places.artifacts)
    job = minding_cuts(Job(shot, edits, painted, settings, backbone, order.delivery, work, artifacts, None, pins), reporter)
    return [leg for leg in job.legs if job.painted_at(leg.key).changed]


def _words(cluster: Cluster, nodes: int, backbone: Backbone) -> str:
    return (
        f"{runner.device_words(backbone.device)}, and {nodes} {'node' if nodes == 1 else 'nodes'} of the Ray cluster at {cluster.address}"
    )
