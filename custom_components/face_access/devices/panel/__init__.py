"""Intercom panels."""
