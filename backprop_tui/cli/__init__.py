"""The command line: one file a verb, all output through `output`, all errors through `diagnostics`."""

import gc

# Loading a program makes objects and no garbage: the collector's look at them is 4 % of a short run.
gc.disable()
