"""Asks the machine: host, processes, GPUs. Any answer may be None, none may hang."""
