"""People, personas, sessions: who asks, and what they may see (P25, P40, P42)."""
