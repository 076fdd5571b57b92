"""Settings: one table of them, where their values come from, and what each value may be."""
