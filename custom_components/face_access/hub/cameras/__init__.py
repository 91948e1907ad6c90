"""Cameras that are watched: when they are looked at, by whom, and what comes of it."""
