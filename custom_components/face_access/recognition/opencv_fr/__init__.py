"""OpenCV FR Server by Seventh Sense: a server of the house that recognises, and keeps its people in collections.

Not to be confused with the hosted opencv.fr, whose paths, fields and thresholds differ.
"""

from .client import OpenCvFrClient, Storage
from .engine import NAME, THRESHOLDS, OpenCvFrSettings, opencv_fr_engine
from .kind import KIND
from .register import Checks

__all__ = ["KIND", "NAME", "THRESHOLDS", "Checks", "OpenCvFrClient", "OpenCvFrSettings", "Storage", "opencv_fr_engine"]
