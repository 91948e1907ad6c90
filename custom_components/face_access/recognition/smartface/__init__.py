"""Innovatrics SmartFace from 4.25 on: a client of its REST API, and the engine that the house uses.

`client` has every operation, `engine` what the rest of the house knows. Nothing here imports Home Assistant.
"""

from .client import SmartFaceClient
from .engine import THRESHOLDS, TOO_OLD, EngineOptions, engine
from .kind import KIND
from .members import MemberFacts, Privacy
from .server import PORT, ClientCredentials, Server
from .tuning import DetectorResource, FaceValidation, SpoofDetector, TemplateResource, Tuning

__all__ = [
    "KIND",
    "PORT",
    "THRESHOLDS",
    "TOO_OLD",
    "ClientCredentials",
    "DetectorResource",
    "EngineOptions",
    "FaceValidation",
    "MemberFacts",
    "Privacy",
    "Server",
    "SmartFaceClient",
    "SpoofDetector",
    "TemplateResource",
    "Tuning",
    "engine",
]
