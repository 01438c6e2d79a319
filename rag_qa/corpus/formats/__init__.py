"""One file a format: each says whether a text looks like it, and yields its records as fields."""
