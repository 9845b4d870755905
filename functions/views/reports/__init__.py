"""Reports: what the database tells of views, for operators."""
