"""The vocabulary: runs, slices, states, events, samples and decisions. Values only, no I/O, no clock."""
