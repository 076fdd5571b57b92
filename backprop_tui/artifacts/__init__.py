"""Checkpoints on disk: of which kind, whole or not. The only code that opens the user's own files."""
