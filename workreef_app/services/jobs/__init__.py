"""Work that outlives a request: the row of each job, the queue, and the ledger of its effects. Keeps P43 and P44."""
