"""The way between window and server: a watcher that listens and calls that ask, both in threads of their own."""
