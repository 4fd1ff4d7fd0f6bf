"""`python -m i2vedit_server`. Imports nothing above the guard: spawned workers read this file again and must stay free of gRPC."""

if __name__ == "__main__":
    import os
    import sys

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC writes past our log; what it has to say comes as an exception too
    from i2vedit_server.cli import main

    sys.exit(main(sys.argv[1:]))
