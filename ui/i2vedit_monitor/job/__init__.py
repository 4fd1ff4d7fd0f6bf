"""Everything about one job beside its pictures: stages, learning, memory, versions, log, and what can be done with it."""
