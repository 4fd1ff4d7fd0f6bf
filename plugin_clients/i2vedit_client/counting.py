"""Numbers of things, in words."""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 frame`, `3 frames`. `many`: where an s at the end is not all that changes."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
