"""Recognition servers: whether they are there, what they answer, and who shall be known there."""
