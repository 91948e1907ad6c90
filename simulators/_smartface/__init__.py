"""Parts of the simulated SmartFace server."""
