"""Intercom panels that speak the local HTTP API of BAS-IP: Android (AA, BI, AV-08FB) and Camdroid."""

from .station import PanelFamily

FAMILY = PanelFamily()

__all__ = ["FAMILY"]
