"""The command line: one file a verb, all output through `output`, all errors through `diagnostics`."""
