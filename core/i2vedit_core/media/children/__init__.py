"""Programs that open files of unknown origin. Each runs alone, in a process of its own, so that a crash stays there."""
