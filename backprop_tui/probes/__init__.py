"""The only code that asks the machine: load, memory, processes, GPUs."""
