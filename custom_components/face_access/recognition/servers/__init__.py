"""What all recognition servers share: which there are, what one offers, and what its answers are worth."""
