"""Actions, against a station in memory and against a simulated terminal."""
