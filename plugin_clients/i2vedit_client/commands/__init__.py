"""The commands of `i2vedit`, one module each; `command` is what click calls."""
