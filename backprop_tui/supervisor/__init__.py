"""Takes one slice of one run from the queue to its result; the only writer of a living run."""
