"""The hash-chained audit log: appended in the change's own transaction, exported, verified (P14, P15, P16, P17)."""
