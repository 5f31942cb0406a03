"""One file that brings the project to a machine which cannot reach a package index.

`wheels` gets what pip would, `programs` what apt would, from the machine it runs on; `make` puts
both and the project itself into a zip that Python runs. `install` is what it runs there: it checks
every part against the manifest, then makes a virtual environment that sees the machine's own cupy.
"""

from harness.bundle.make import make, name_for

__all__ = ["make", "name_for"]
