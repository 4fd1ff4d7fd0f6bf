"""Facts in the artist's words. The texts themselves stand in `texts`."""

import time
from pathlib import PurePath

from i2vedit_monitor import texts
from i2vedit_monitor.model.book import Note
from i2vedit_monitor.model.facts import JobFacts, Progress, State
from i2vedit_monitor.texts import tr, tr_counted

GIGABYTE = 1e9


def duration(seconds: float) -> str:
    """A time that is an estimate, said roughly."""
    whole = max(0, round(seconds))
    if whole < 60:
        return tr(texts.SECONDS, seconds=whole)
    if whole < 600 and whole % 60:
        return tr(texts.MINUTES, minutes=whole // 60, seconds=whole % 60)
    if whole < 3600:
        return tr(texts.FULL_MINUTES, minutes=round(whole / 60))
    return tr(texts.HOURS, hours=whole // 3600, minutes=whole % 3600 // 60)


def in_window(sentence: str) -> str:
    """A sentence of the server, with what the window has instead of the command's options."""
    for option, words in texts.OPTIONS.items():
        sentence = sentence.replace(option, tr(words))
    return sentence


def stage_name(stage: str) -> str:
    return tr(texts.STAGES[stage]) if stage in texts.STAGES else stage


def state_name(job: JobFacts) -> str:
    """The state, or what a running job has been asked to become."""
    if job.stop_request and job.state is State.RUNNING:
        return tr(texts.STOP_REQUESTS[job.stop_request])
    return tr(texts.STATES[job.state.value])


def progress_words(progress: Progress) -> str:
    """`Learning its motion, chunk 2 of 5`."""
    words = stage_name(progress.stage)
    if progress.chunks > 1 and progress.stage not in ("load", "decode"):
        words = tr(texts.IN_CHUNK, stage=words, chunk=progress.chunk + 1, chunks=progress.chunks)
    return words


def time_left(job: JobFacts) -> str:
    """Empty where it is not known."""
    if job.state is not State.RUNNING or job.progress is None or job.progress.seconds_left is None:
        return ""
    return tr(texts.TIME_LEFT, time=duration(job.progress.seconds_left))


def job_line(job: JobFacts) -> str:
    """The second line of a row: what the job does, or how it ended."""
    if job.state is State.RUNNING and job.progress is not None and not job.stop_request:
        return progress_words(job.progress)
    if job.state is State.FAILED and job.trouble is not None:
        return in_window(job.trouble.sentence)
    if job.state is State.SUCCEEDED:
        if job.is_preparation:
            return tr(texts.PREPARED)
        return tr_counted(texts.FRAMES_IN, job.delivered, time=duration(job.ended - job.started))
    return state_name(job)


def frames_words(job: JobFacts) -> str:
    """`Frames 0–26`; the whole clip's length may not be known yet."""
    return tr(texts.FRAME_RANGE, first=job.first, last=job.first + job.frames - 1) if job.frames else tr(texts.WHOLE_CLIP)


def ago(moment: float) -> str:
    """When something was, seen from now."""
    passed = time.time() - moment
    if passed < 60:
        return tr(texts.JUST_NOW)
    if passed < 86_400:
        return tr(texts.AGO, time=duration(passed))
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def note_line(note: Note) -> str:
    """A line of the log, without its time."""
    known = texts.NOTES.get(note.kind) or texts.STAGES.get(note.kind)
    words = tr(known) if known else note.kind
    if note.kind in texts.STAGES and note.detail:
        return tr(texts.NOTE_CHUNK, what=words, chunk=note.detail)
    return f"{words} {in_window(note.detail)}".strip()


def gigabytes(count: int) -> str:
    return tr(texts.GIGABYTES, size=f"{count / GIGABYTE:.1f}")


def folder_name(path: str) -> str:
    return PurePath(path).name


def short_path(path: str) -> str:
    """The last two parts of a path: enough to know it by, and it fits a narrow panel."""
    parts = PurePath(path).parts
    return path if len(parts) <= 3 else str(PurePath("…", *parts[-2:]))
