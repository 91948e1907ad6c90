"""What was seen and what happened: kept, read back, shown and forgotten."""
