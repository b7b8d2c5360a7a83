"""What can go wrong between a host name and a tenant's open unit of work."""


class TenancyError(Exception):
    """One sentence for the person at the command line."""


class TenantExists(TenancyError):
    """The slug is taken."""


class UnknownTenant(TenancyError):
    """No tenant has this slug or host."""


class SchemaNotCurrent(TenancyError):
    """A database is behind the code, so nothing is read from or written to it."""


class Busy(TenancyError):
    """Every database connection that this process may open is in use."""
