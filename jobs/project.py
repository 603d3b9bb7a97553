"""Lay out every feature space in two dimensions: `ray job submit --working-dir . -- python jobs/project.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["project", *sys.argv[1:]])
