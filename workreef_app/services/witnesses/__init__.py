"""Witnesses: places outside, where nobody here can take a tenant's checkpoints back. Keeps P15."""
