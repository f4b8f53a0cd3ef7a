"""What can be said about a file without decoding it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A file's own claims.

    Args:
        format: as people call it: GIF, APNG, PNG, WEBP, JPEG, frames (a folder), sheet, or the name of a video format.
        width, height: of a frame, in pixels.
        frames: how many; None when the file does not say.
        fps: frames per second, of the first frame where they differ; None without a clock.
        actions: the clips of a sprite sheet, by name; empty for everything else, which holds one clip.
    """

    format: str
    width: int
    height: int
    frames: int | None
    fps: float | None
    actions: tuple[str, ...] = ()
