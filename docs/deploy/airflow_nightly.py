"""The nightly run as an Airflow DAG; RECSYS_HOME names the home."""

import subprocess
from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException


@dag(schedule="15 3 * * *", catchup=False, max_active_runs=1)
def recsys_nightly() -> None:
    @task(retries=3, retry_delay=timedelta(minutes=20))
    def nightly() -> None:
        code = subprocess.run(["recsys", "nightly", "--resume"], check=False).returncode
        if code in (2, 4):  # the data or the gate: repeating it changes nothing
            raise AirflowFailException(f"recsys nightly: exit code {code}")
        if code:  # machine or home not ready: again, and --resume repeats only what is missing
            raise RuntimeError(f"recsys nightly: exit code {code}")

    nightly()


recsys_nightly()
