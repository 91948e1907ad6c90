"""The people of the house: who they are, what each target shall know of them, and what is let go of."""
