"""Compute the feature vectors that are missing: `ray job submit --working-dir . -- python jobs/extract.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["extract", *sys.argv[1:]])
