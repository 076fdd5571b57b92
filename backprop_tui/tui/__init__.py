"""The full-screen dashboard: drawing is pure and by columns, one thread feeds it, messages change it."""
