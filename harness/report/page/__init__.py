"""index.html: a run as one page that people read. See page.py for the order of its parts."""
