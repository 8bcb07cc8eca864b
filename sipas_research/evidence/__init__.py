"""Published figures: the ledger, the check of a claim, the flags that arithmetic decides."""
