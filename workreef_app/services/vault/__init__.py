"""Sealing what is secret or personal under each tenant's own key (P12, P13, P58)."""
