"""Signing in: passwords, tokens, keys, and identities that somebody else vouches for."""
