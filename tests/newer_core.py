"""Lets the test harness, made for one Home Assistant, run with a newer one. Loaded before every other plugin."""

# Since 2026.11 Home Assistant puts another library in httpx's place, so it comes before whatever imports httpx.
from homeassistant.components import logger
from homeassistant.components.logger import helpers as logger_helpers

# The harness looks for names where 2026.10 had them.
if not hasattr(logger, "_clear_logger_overwrites"):
    logger._clear_logger_overwrites = logger_helpers._clear_logger_overwrites
