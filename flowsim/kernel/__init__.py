"""The kernel of the model: message flow compiled with Numba, or run as plain Python."""
