"""What the clients of recognition servers share: one HTTP exchange, readers for answers, pictures as text, words."""
