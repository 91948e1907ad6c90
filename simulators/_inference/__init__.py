"""The parts of a simulated inference server."""
