"""The whole job: `ray job submit --working-dir . -- python jobs/run.py conf.yaml [key=value]...`

One step alone is `python -m simsearch STEP conf.yaml`, the explorer on a cluster
`python -m simsearch explore --ray-serve conf.yaml`.
"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
