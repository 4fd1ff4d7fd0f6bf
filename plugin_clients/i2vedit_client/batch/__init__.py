"""Many shots, one report: what `i2vedit batch` reads, submits and writes (docs/batch.md)."""
