"""What the simulated recognition servers are made of."""
