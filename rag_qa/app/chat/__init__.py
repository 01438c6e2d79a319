"""The chat: `repl` reads lines, `commands` lists the slash commands, `state` holds the conversation."""
