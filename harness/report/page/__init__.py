"""index.html: a run as one page that people read. See page.py for the order of its parts."""

from harness.report.page.page import document, page

__all__ = ["document", "page"]
