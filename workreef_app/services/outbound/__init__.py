"""The one way out: HTTP and mail with bounded time, size and attempts; a failure is a result. Keeps P44."""
