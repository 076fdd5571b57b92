"""Bytes to lines to meaning. Text only: no I/O, no clock, never an exception on any input."""
