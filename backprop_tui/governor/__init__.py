"""Decides whether a slice may start, and where. Pure: values in, decisions out."""
