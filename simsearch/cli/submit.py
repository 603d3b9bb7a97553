"""Hand a job to a Ray cluster under a fixed name and follow it to its end:

    python jobs/submit.py NAME [--folder FOLDER] [--address URL] -- python /app/jobs/reindex.py config.yaml

The cluster is that of $RAY_ADDRESS (`http://…-head-svc:8265`) or of --address; a token is taken from
$RAY_AUTH_MODE and $RAY_AUTH_TOKEN. FOLDER goes along as the job's working directory.

It prints the job's log and exits with the job's own code: 0 done, 1 failed, 2 misused, and 3 for a job
that was stopped (`ray job stop`). NAME is the job's submission id: started again with the same NAME,
because its pod died or a CronJob tries again, it follows the job that is going. A job that failed is
started again as NAME-2 (it resumes from storage). One that succeeded is not run again: its last lines
are shown and the exit code is 0. One that was stopped is not started again either. Killed, it leaves
the job going.

In a CronJob, NAME is that of the Kubernetes Job, which is the same for all pods of one schedule slot
and new for the next: take it from the label `batch.kubernetes.io/job-name` by the downward API.

    env:
      - name: SLOT
        valueFrom: {fieldRef: {fieldPath: "metadata.labels['batch.kubernetes.io/job-name']"}}
    command: [python, /app/jobs/submit.py, $(SLOT), --folder, /tmp/job, --, python, /app/jobs/reindex.py, config.yaml]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from simsearch.cli.terminal import show_error
from simsearch.errors import SimsearchError
from simsearch.runs.operations.submission import Submission, submit_and_follow


def main() -> int:
    """Parse the arguments, submit and follow. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", metavar="NAME", help="the job's submission id")
    parser.add_argument("--folder", type=Path, help="the job's working directory")
    parser.add_argument("--address", help="the cluster's dashboard; left out: $RAY_ADDRESS")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="what to run, after --")
    given = parser.parse_args()
    submission = Submission(given.name, tuple(given.command), given.folder)
    try:
        return submit_and_follow(submission, address=given.address)
    except SimsearchError as error:
        show_error(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        show_error(
            f"the job goes on; the same command follows it, `ray job stop {given.name}` ends it"
        )
        return 130
