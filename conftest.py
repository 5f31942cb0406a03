"""The suites of this repository use the same plugin that an installed copy brings along."""

pytest_plugins = ["fixtures.plugin"]
