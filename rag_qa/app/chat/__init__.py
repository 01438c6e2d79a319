"""The chat REPL: `repl` reads lines, `commands` lists what can be typed, `conversation` holds what was said."""
