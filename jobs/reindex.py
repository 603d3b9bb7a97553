"""Bring a root up to date: `ray job submit --working-dir . -- python jobs/reindex.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["reindex", *sys.argv[1:]])
