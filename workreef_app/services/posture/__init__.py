"""Whether this installation is as it must be: the checks that production makes before it serves (P42, P62)."""
