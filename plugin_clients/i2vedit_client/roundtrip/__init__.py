"""Paint, save, see: the frame in an editor, and a new version at every save that changes pixels (docs/hosts.md)."""
