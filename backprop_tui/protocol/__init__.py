"""What a script prints: bytes to clean lines to events. Text only: no I/O, never raises on input."""
