"""How the news of stations reach us, and what becomes of them."""
