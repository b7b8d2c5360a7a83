"""What can go wrong with keys and sealed values."""


class KeyUnavailable(Exception):
    """The key that wraps a data key does not answer or refuses. The text names the key, never its bytes."""


class Unsealable(Exception):
    """A sealed value does not open: another tenant's, another column's, or changed bytes."""
