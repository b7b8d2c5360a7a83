"""The product: one package a promise, and no user interface anywhere in it."""
