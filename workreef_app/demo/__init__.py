"""The sample world: two tenants, their people, and the logs of their systems."""
