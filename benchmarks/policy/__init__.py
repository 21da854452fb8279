"""How long policy thinks about a call, with as many rules as a company may have."""
