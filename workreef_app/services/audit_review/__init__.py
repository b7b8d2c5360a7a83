"""What people do with the audit log: list, read, verify, export (P15, P16, P17)."""
