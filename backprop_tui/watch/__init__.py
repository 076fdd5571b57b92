"""What front ends look at: the history, one run's whole record, logs. Reads only."""
