"""Run folders (the record), their index and the experiments.json mirror: all that knows files of runs."""
