"""The monitor: a window that shows jobs, training and results. It talks to the server through the client library alone."""
