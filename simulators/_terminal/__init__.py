"""The parts of the simulated face terminal, one subject per file (see simulators/terminal.py)."""
