"""Doors of the house: which there are, what each asks for before it opens, and who judges."""
