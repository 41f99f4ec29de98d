"""An audit as documents: Markdown for an issue, a page with a picture of its connections. Knows no command."""
