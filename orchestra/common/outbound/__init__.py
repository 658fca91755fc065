"""What the product asks of other machines: the one guarded client, who may be asked, the ledger of what was asked."""
