"""What an experiment runs, and the tables that come of it. May import both halves of the program."""
