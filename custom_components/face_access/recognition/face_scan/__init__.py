"""The face scan service of DMS Workspace: compares two pictures in its cloud. Off unless the household wants it."""

from .client import COMPARE_ADDRESS, FaceScanClient, TokenProvider
from .engine import NAME, FaceScanSettings, face_scan_engine
from .kind import KIND
from .records import Channel, Scan, ScanPage, ScanRecord

__all__ = [
    "COMPARE_ADDRESS",
    "KIND",
    "NAME",
    "Channel",
    "FaceScanClient",
    "FaceScanSettings",
    "Scan",
    "ScanPage",
    "ScanRecord",
    "TokenProvider",
    "face_scan_engine",
]
