"""How well a delivery came out: for programs, in a few lines for people, and as markers for hosts."""

from typing import Any

from i2vedit.v1 import job_pb2
from i2vedit_client.host.timing import Grid, Span

MOST_LINES = 3


def quality_fields(quality: job_pb2.Quality) -> dict[str, Any]:
    """Of a job that has delivered, as it is told to programs."""
    found: dict[str, Any] = {
        "suggested_keyframes": [{"frame": each.frame, "why": each.why} for each in quality.suggested_keyframes],
        "notes": [
            {"frame": note.frame if note.HasField("frame") else None, "severity": note.severity, "text": note.text}
            for note in quality.notes
        ],
    }
    if quality.HasField("worst_join_frame"):
        found["worst_join"] = {"frame": quality.worst_join_frame, "seam_ratio": round(quality.worst_seam_ratio, 4)}
    if quality.HasField("drift_delta_e"):
        found["drift_delta_e"] = round(quality.drift_delta_e, 4)
    return found


def advice(quality: dict[str, Any]) -> list[str]:
    """What a person may want to do about it, most useful first."""
    frames = [str(each["frame"]) for each in quality["suggested_keyframes"]]
    lines = []
    if len(frames) == 1:
        lines.append(f"The edit is least sure around frame {frames[0]}; paint that frame too for a better result.")
    elif frames:
        named = f"{', '.join(frames[:-1])} and {frames[-1]}"
        lines.append(f"The edit is least sure around frames {named}; paint one of them too for a better result.")
    notes = sorted((note for note in quality["notes"] if note["frame"] is not None), key=lambda note: note["severity"] != "warning")
    return [*lines, *(note["text"] for note in notes)][:MOST_LINES]


def markers(quality: job_pb2.Quality, span: Span, lies: Grid) -> list[dict[str, Any]]:
    """Frames to look at, where the placed clip shows them. `offset`: pictures from the clip's first; `record_frame`: on the timeline."""
    told = [(each.frame, "suggestion", f"Paint this frame too. {each.why}") for each in quality.suggested_keyframes]
    told += [(note.frame, note.severity, note.text) for note in quality.notes if note.HasField("frame")]
    shown = {frame: offset for offset, frame in reversed(list(enumerate(lies.frames[lies.skip : lies.skip + lies.take])))}
    by_frame: dict[int, dict[str, Any]] = {}
    for frame, kind, text in told:
        if frame not in shown:
            continue
        if frame in by_frame:
            by_frame[frame]["text"] += f" {text}"
            continue
        record = span.record_start + round(shown[frame] * span.timeline_rate / lies.rate)
        by_frame[frame] = {"frame": frame, "offset": shown[frame], "record_frame": record, "kind": kind, "text": text}
    return [by_frame[frame] for frame in sorted(by_frame)]
