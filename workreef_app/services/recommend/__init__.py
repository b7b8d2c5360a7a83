"""Tasks, analyses and proposals: what is recommended, why, and what people decided (P29, P30, P35, P45)."""
