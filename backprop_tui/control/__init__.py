"""What people can do to runs: every verb that changes something."""
