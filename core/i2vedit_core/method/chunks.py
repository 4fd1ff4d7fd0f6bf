"""METHOD section 1: the clip is cut into chunks of the model's frame count that overlap by one frame."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """A window of the shot. Positions count from 0 at the painted frame, whatever the source frame's number is."""

    index: int
    start: int
    """Position of the chunk's first frame: the frame whose edit is known when the chunk begins."""
    length: int
    delivers: range
    """Positions this chunk delivers. Every position of the shot is delivered by exactly one chunk."""

    @property
    def stop(self) -> int:
        return self.start + self.length


def plan_chunks(frame_count: int, chunk_frames: int) -> tuple[Chunk, ...]:
    """The grid for a shot of so many frames, anchored at its painted frame 0.

    14 frames are one chunk, 27 two, 53 four. A short tail slides back to full length and starts from the edited latent of
    its first frame, which an earlier chunk has made. A shot shorter than a chunk is one chunk of its own length.
    """
    if frame_count <= chunk_frames:
        return (Chunk(0, 0, frame_count, range(frame_count)),)
    chunks = [Chunk(0, 0, chunk_frames, range(chunk_frames))]
    while chunks[-1].stop < frame_count:
        done = chunks[-1].stop
        stop = min(done - 1 + chunk_frames, frame_count)
        chunks.append(Chunk(len(chunks), stop - chunk_frames, chunk_frames, range(done, stop)))
    return tuple(chunks)
