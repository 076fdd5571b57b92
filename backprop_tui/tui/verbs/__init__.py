"""What keys do to runs, by what they are about."""
