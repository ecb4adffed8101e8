"""Turns configuration, topology and catalogue into the arrays that the kernel reads."""
