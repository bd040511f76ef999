"""Whose is it, and who is paid: conflicts in the registry of rights, royalties and statements of owners."""
