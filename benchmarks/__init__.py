"""How fast the simulation is, as programs that print a table or JSON."""
