"""What a training script says of itself, and the interpreter that runs it."""
