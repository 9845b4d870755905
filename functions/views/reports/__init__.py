"""Reports for operators, on the views in the database."""
