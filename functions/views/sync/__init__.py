"""The sync: pending views are moved to the database, exactly once."""
