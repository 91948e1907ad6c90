"""A real inference server with our networks, for tests and benchmarks."""
