"""Hand a job to a Ray cluster and follow it: `python jobs/submit.py NAME [--folder FOLDER] -- COMMAND`"""

import sys

from simsearch.cli.submit import main

if __name__ == "__main__":
    sys.exit(main())
