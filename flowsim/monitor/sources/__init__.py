"""Readers of real logs: files and databases in, observations out, with no name or number of a person."""
