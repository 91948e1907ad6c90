"""Measurements of the integration in a real Home Assistant, each against a baseline of the same run."""
