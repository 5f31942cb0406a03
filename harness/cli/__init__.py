"""One file a subcommand of `python -m harness`, each with SUMMARY, add_arguments and run."""
