"""The whole way of a shot: painted frames in, all frames out, composited over the plate and delivered.

The method itself is `method/propagation.py`; how it meets the files is `delivering.py`.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.cuts import reported_cuts, require_a_key_in_each
from i2vedit_core.delivering import Delivered, Delivering
from i2vedit_core.delivery.painted import read_painted
from i2vedit_core.job import Job
from i2vedit_core.media.fit import Fit
from i2vedit_core.pace import paced
from i2vedit_core.pins import Pins, all_edits
from i2vedit_core.plan.options import ROOMY, Options
from i2vedit_core.planned import carry_out_planned, fit_for
from i2vedit_core.progress import CancelToken, EventCallback, Reporter, ignore
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.work import Work


def propagate(  # noqa: PLR0913  (the one call of the core: what goes in, and the two ways to follow it)
    shot: Shot,
    edits: Edit | Sequence[Edit],
    settings: Settings,
    backbone: Backbone,
    delivery: DeliverySettings,
    work: Path | None = None,
    artifacts: Path | None = None,
    on_event: EventCallback = ignore,
    token: CancelToken | None = None,
    pins: Pins | None = None,
) -> Delivered:
    """Carries the painted frames of a shot through all of its frames and delivers them as an EXR sequence.

    `work` keeps the job's notes, and `artifacts` (by default a folder in it) what is expensive: trajectories, LoRA checkpoints and finished
    chunks. The same folders given again go on where it was, another edit of the same shot finds its preparation, and a painted frame more
    makes only what lies next to it. Without them nothing is kept. `pins`: approved frames of an earlier version, which are taken over.
    Raises BridgeError; CANCELLED once `token` was set.
    """
    settings = paced(shot, settings, backbone.chunk_frames)
    ordered = all_edits([edits] if isinstance(edits, Edit) else edits, shot, pins)
    painted = tuple(read_painted(edit, shot) for edit in ordered)
    with tempfile.TemporaryDirectory(prefix="i2vedit-") as temporary:
        root = work or Path(temporary)
        kept = Artifacts(artifacts or root / "artifacts")
        fronts = None if work is None else Artifacts(work / "chunks")
        report = Reporter(on_event, token or CancelToken())
        job = minding_cuts(Job(shot, ordered, painted, settings, backbone, delivery, Work(root), kept, fronts, pins), report)

        def attempt(fit: Fit, options: Options) -> Delivered:
            return Delivering(job, report, fit, options).run()

        if not job.needs_model:
            return attempt(fit_for(shot, settings, backbone), ROOMY)
        return carry_out_planned(shot, settings, backbone, attempt, on_event)


def minding_cuts(job: Job, report: Reporter) -> Job:
    """The job with the cuts inside its range, across which nothing is carried. Raises BridgeError SHOT_CUT, CANCELLED."""
    if not any(each.changed for each in job.painted):
        return job
    cuts = reported_cuts(job.shot, job.settings, job.artifacts, report)
    require_a_key_in_each(job.shot, cuts, [*(edit.frame for edit in job.edits), *job.pinned])
    return replace(job, cuts=cuts)
