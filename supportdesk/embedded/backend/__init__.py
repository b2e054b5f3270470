"""The Django database engine `supportdesk.embedded.backend`."""
