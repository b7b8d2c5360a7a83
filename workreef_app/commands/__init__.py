"""The commands' own modules: each is thin and calls operations through the door, or verbs of tenancy."""
