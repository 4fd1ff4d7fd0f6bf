"""What every host plugin needs and none of them does itself: timing, delivery, sessions, placements (docs/hosts.md)."""
