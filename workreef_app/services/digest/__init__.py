"""What an operator sees first: what needs them, what is new, and the opportunities (P45)."""
