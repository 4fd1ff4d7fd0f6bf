"""Puts the host files where each host looks for them, and takes them away again (docs/hosts.md)."""
