"""The painted frames of one clip: each has a session of its own, and all of them go into every job of the clip."""

import hashlib
import json

from i2vedit_client.host.session import Session, sessions
from i2vedit_client.painted import Painted
from i2vedit_client.spec import absolute


def session_name(unnamed: Session) -> str:
    """The same frame of the same clip at the same place of the same project is the same session, however often it is begun."""
    return hashlib.sha256(json.dumps([*_place(unnamed), unnamed.painted_frame]).encode()).hexdigest()[:12]


def _place(session: Session) -> list[object]:
    """What the sessions of one clip have in common, whichever of its frames is painted."""
    request, source = session.request, session.source
    clip, out = request.clip, request.settings.out and absolute(request.settings.out)
    place = [request.host, request.project, request.item, out, absolute(clip.path), clip.record_start, source.first, source.last]
    return [*place, clip.video_stream] if clip.video_stream else place


def other_frames(session: Session) -> tuple[Painted, ...]:
    """The newest saves of the clip's other painted frames, by frame. One whose picture the artist has thrown away counts no more."""
    place, found = _place(session), {}
    for other in sessions(session.request.host, session.request.project):
        if other.name != session.name and _place(other) == place and other.has_picture() and (saves := other.saves()):
            found[other.painted_frame] = Painted(str(saves[-1]), other.painted_frame)
    return tuple(found[frame] for frame in sorted(found))
