"""The whole job: `ray job submit --working-dir . -- python jobs/run.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
