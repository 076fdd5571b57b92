"""backprop: short, safe, time-boxed ML training runs on your own box."""

__version__ = "0.1.0"
