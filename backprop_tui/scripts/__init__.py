"""The user's own files: which script, which interpreter, and what the script says of itself."""
