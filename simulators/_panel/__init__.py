"""The parts of the simulated intercom panel."""
