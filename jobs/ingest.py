"""Read the collection into the catalog: `ray job submit --working-dir . -- python jobs/ingest.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["ingest", *sys.argv[1:]])
