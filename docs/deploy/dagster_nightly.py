"""The nightly run as a Dagster job with its schedule; RECSYS_HOME names the home."""

import subprocess

from dagster import Definitions, Failure, RetryRequested, ScheduleDefinition, job, op


@op
def nightly() -> None:
    code = subprocess.run(["recsys", "nightly", "--resume"], check=False).returncode
    if code in (2, 4):  # the data or the gate: repeating it changes nothing
        raise Failure(f"recsys nightly: exit code {code}", allow_retries=False)
    if code:  # machine or home not ready: again, and --resume repeats only what is missing
        raise RetryRequested(max_retries=3, seconds_to_wait=1200)


@job
def recsys_nightly() -> None:
    nightly()


defs = Definitions(
    jobs=[recsys_nightly], schedules=[ScheduleDefinition(job=recsys_nightly, cron_schedule="15 3 * * *")]
)
