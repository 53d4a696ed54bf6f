"""Who asks: tokens, and which credentials a request carries."""
