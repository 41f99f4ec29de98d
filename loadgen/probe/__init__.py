"""Looks at what stands between client and target, before or beside a load. Makes no load and measures no time."""
