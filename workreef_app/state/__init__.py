"""What pages show and what their events do: typed rows, one operation a handler, nothing durable."""
