"""What campaigns need beside them: instances, templates, suppressed contacts, limits, files."""
