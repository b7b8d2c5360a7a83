"""The audit log for a customer's SIEM: OCSF and CEF, as files and pushed with a cursor. Keeps P15 and P16."""
