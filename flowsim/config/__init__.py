"""What a user's file may say, how it is read, and how its faults are told."""
