"""WorkReef: recurring operational work, handed to AI agents without losing control of it."""
