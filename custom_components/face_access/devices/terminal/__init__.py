"""Face terminals that speak the Face Capture HTTP API, protocol 0.41."""

from .station import TerminalFamily

FAMILY = TerminalFamily()

__all__ = ["FAMILY"]
