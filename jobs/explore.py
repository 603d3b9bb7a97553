"""Serve the explorer on a cluster: `ray job submit --working-dir . -- python jobs/explore.py conf.yaml [key=value]...`

It listens on explore.host and explore.port of the head node until the job is stopped; name the
hosts it is reached by in explore.hosts, and set $SIMSEARCH_EXPLORE_TOKEN to ask for a password.
"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["explore", "--ray-serve", *sys.argv[1:]])
