"""Sources, observations and signals: small facts with measured recurrence and uniformity (P22, P32, P35)."""
