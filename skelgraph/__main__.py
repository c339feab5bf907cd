"""``python -m skelgraph``."""

from skelgraph.cli.commands import main

if __name__ == "__main__":
    main()
