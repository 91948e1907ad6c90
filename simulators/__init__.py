"""Simulated devices for demonstrations and tests; each is written from the vendor's document."""
