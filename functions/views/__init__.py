"""Views: what is counted, and what is shown."""
