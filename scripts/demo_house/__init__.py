"""A house to try the integration in: a real Home Assistant with simulated stations, for people and for the check."""
