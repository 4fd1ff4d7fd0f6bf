"""What people do here: direct jobs, and send a new shot on its way."""
