"""Decides from measured values; asks nothing itself, reads no clock."""
