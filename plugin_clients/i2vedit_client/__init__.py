"""The client library and the `i2vedit` command: finds or starts the server, submits jobs and watches them.

Needs neither torch nor numpy nor Qt, so that it fits every machine from which a shot may be sent.
"""
