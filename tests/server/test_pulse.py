"""When a worker counts as silent."""

from i2vedit_server.pulse import LONGEST_TICK, Pulse


def test_silence_grows_until_something_is_heard() -> None:
    pulse = Pulse()
    pulse.begin()
    pulse.tick(1.0)
    assert (pulse.start_seconds, pulse.silent_seconds, pulse.step_seconds) == (1.0, 0.0, 0.0), "it has not begun to speak yet"
    pulse.heard()
    for _ in range(3):
        pulse.tick(1.0)
    assert (pulse.silent_seconds, pulse.step_seconds) == (2.0, 3.0)
    pulse.heard()
    pulse.tick(1.0)
    assert (pulse.silent_seconds, pulse.step_seconds) == (0.0, 4.0)
    pulse.stepped()
    pulse.tick(1.0)
    assert (pulse.silent_seconds, pulse.step_seconds) == (0.0, 0.0)


def test_nobody_was_late_while_this_process_slept() -> None:
    pulse = Pulse()
    pulse.begin()
    pulse.heard()
    pulse.tick(1.0)
    pulse.tick(3600.0)
    assert pulse.silent_seconds == LONGEST_TICK
