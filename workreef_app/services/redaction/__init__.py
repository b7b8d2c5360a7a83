"""What leaves for a model is redacted first, and restored in what comes back (P4, P5, P6).

`profiles`, `engine`, `tokens`, `restoring`, `structures` and the detectors are plain functions on plain values; they
import nothing of ours. `models` and `operations` keep and change a tenant's profile.
"""
