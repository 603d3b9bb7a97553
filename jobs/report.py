"""Write the report and publish the snapshot: `ray job submit --working-dir . -- python jobs/report.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["report", *sys.argv[1:]])
