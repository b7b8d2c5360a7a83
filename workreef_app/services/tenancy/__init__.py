"""A database and two roles a tenant, found by host, refused to everyone else (P7, P8, P13)."""
