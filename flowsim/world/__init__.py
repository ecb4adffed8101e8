"""What people and organisations do, as SimPy processes that read as stories."""
