"""Where a slice runs. An engine starts it, yields its bytes and tells how it ended."""
