"""Measure the recovery of perturbed copies: `ray job submit --working-dir . -- python jobs/evaluate.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["evaluate", *sys.argv[1:]])
