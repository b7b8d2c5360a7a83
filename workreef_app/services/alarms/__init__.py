"""What somebody must see: alarms with a severity, an owner and an acknowledgement, and their delivery. Keeps P44."""
