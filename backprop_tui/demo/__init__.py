"""A small real training that needs nothing but Python: `backprop demo` runs it."""
