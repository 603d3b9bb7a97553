"""Learn what the spaces need: `ray job submit --working-dir . -- python jobs/train.py conf.yaml [key=value]...`"""

import sys

from simsearch.cli.main import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
