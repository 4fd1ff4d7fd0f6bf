"""The server: RPCs, job store, scheduler, and the worker process that alone owns the GPU."""
