"""Checkpoints on disk: are they whole, and are they still being written?"""
