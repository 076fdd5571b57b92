"""What the screen shows, as lines of styled text. Pure: values in, lines out; no Textual here."""
