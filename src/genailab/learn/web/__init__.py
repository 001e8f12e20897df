"""The page that ``genailab learn serve`` shows, with its templates and styles."""
