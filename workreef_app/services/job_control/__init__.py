"""The life of a job as operations: claimed, ended, cancelled, tried again; and the list of them. Keeps P43 and P44."""
