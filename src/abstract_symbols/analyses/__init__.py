"""What the chapters compute from rows and trained networks, beyond means over seeds: a module per chapter."""
