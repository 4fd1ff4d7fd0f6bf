"""Handles: frames more at either end of a range, as far as the clip has them."""

from fractions import Fraction

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit_client.client import Client
from i2vedit_client.host.timecode import later


def add_handles(client: Client, spec: job_pb2.JobSpec, handles: int) -> None:
    """Widens the range of a job; what was painted on its first frame stays with that frame. The whole clip has no more to give.

    Raises ServerError for a clip that cannot be read.
    """
    clip = spec.clip
    if handles == 0 or clip.frame_count == 0:
        return
    info = client.probe_clip(clip)
    for edit in spec.edits:
        if not edit.HasField("frame"):
            edit.frame = clip.source_in
    before = _there(handles, clip.source_in - info.first_frame)
    after = _there(handles, info.first_frame + info.frame_count - clip.source_in - clip.frame_count)
    if clip.start_timecode and before:
        clip.start_timecode = later(clip.start_timecode, -before, _rate(clip, info))
    clip.source_in -= before
    clip.frame_count += before + after


def _there(wanted: int, available: int) -> int:
    """A range that lies outside the clip stays as it is: the server says so."""
    return min(wanted, max(available, 0))


def _rate(clip: clip_pb2.ClipRef, info: clip_pb2.ClipInfo) -> Fraction:
    rate = clip.rate if clip.HasField("rate") else info.rate
    return Fraction(rate.numerator, rate.denominator)
