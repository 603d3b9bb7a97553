"""Build and check the Annoy indexes: `ray job submit --working-dir . -- python jobs/index.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["index", *sys.argv[1:]])
