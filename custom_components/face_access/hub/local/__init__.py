"""Recognition by Home Assistant itself: its engine, its models, and whom it can name."""
