"""The people of the household: who they are, where that is kept, and how every target learns of it."""
