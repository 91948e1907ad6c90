"""The server images of KBY-AI, run by the house itself: they compare, and judge whether a face is live."""

from .client import KbyClient
from .engine import NAME, THRESHOLDS, KbySettings, kby_engine
from .kind import KIND

__all__ = ["KIND", "NAME", "THRESHOLDS", "KbyClient", "KbySettings", "kby_engine"]
