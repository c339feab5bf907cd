"""``python -m skelgraph``."""

from skelgraph.cli.app import main

if __name__ == "__main__":
    main()
