"""
A home, opened for Python: each method calls the function that the command of the same name calls.

Queries are read-only, and each opens the release that is current when it is called. Only `train` and `evaluate` write
to the home, and hold its lock meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recsys.api.results import Evaluation, Matches, RankedRows, TableDescription, Training
from recsys.errors import InputError, SetupError
from recsys.home import Home

if TYPE_CHECKING:
    import polars as pl

    from recsys.pipeline.run import Run
    from recsys.recipe import Recipe
    from recsys.warehouse.query import Warehouse


def opened(path: str | PathLike[str]) -> "OpenHome":
    """Return the home in a folder; raises SetupError if there is none, or a newer program has written it."""
    folder = Path(path).absolute()
    if not folder.is_dir():
        raise SetupError(f"There is no folder {folder}. Give the folder of a home, as in: recsys --home FOLDER doctor")
    Home(folder).refuse_newer()
    return OpenHome(folder)


@dataclass(frozen=True)
class OpenHome:
    """
    A home, as `recsys.open` returns it.

    Attributes:
        path: Folder of the home.
    """

    path: Path

    def sql(self, text: str) -> "pl.DataFrame":
        """
        Run one SQL query on the published warehouse, read-only.

        Raises:
            InputError: The text is not exactly one query, or asks about the server; then nothing was run.
        """
        with self._warehouse() as warehouse:
            return warehouse.untrusted_query(text)

    def queries(self) -> "pl.DataFrame":
        """List the saved queries: name, description, parameters."""
        from recsys.warehouse.query import queries

        return queries()

    def query(self, name: str, /, **parameters: object) -> "pl.DataFrame":
        """
        Run a saved query.

        Args:
            name: Name of the query.
            parameters: Values by name of parameter; others take their defaults.

        Raises:
            UnknownIds: There is no such query.
            InputError: A parameter is unknown or missing.
        """
        from recsys.warehouse.query import run_query

        with self._warehouse() as warehouse:
            return run_query(warehouse, name, {key: str(value) for key, value in parameters.items()})

    def tables(self) -> "pl.DataFrame":
        """List the tables of the published warehouse: name, grain, number of rows, description."""
        from recsys.warehouse.query import tables

        with self._warehouse() as warehouse:
            return tables(warehouse)

    def describe(self, table: str) -> TableDescription:
        """
        Describe a table and its columns; a name without a schema is a mart.

        Raises:
            UnknownIds: There is no such table.
        """
        from recsys.warehouse.query import describe

        with self._warehouse() as warehouse:
            row, columns = describe(warehouse, table)
        facts = row.row(0, named=True)
        return TableDescription(facts["name"], facts["description"], facts["grain"], facts["n_rows"], columns)

    def find(self, words: str, *, n: int = 20) -> "pl.DataFrame":
        """List at most `n` tracks, artists and listeners whose name or id contains every word, most played first."""
        from recsys.warehouse.query import find

        with self._warehouse() as warehouse:
            return find(warehouse, words, n)

    def recommend(
        self, *, listener: str | None = None, track: str | None = None, artist: str | None = None
    ) -> RankedRows:
        """
        Return a published list: for a listener, or of what is similar to a track or an artist by its listeners.

        Args:
            listener: A listener (pseudonymous id), for their list of recommendations, with reasons.
            track: A track, for the tracks that the same listeners play.
            artist: An artist, for the artists that the same listeners play.

        Raises:
            InputError: Not exactly one of them is given, or there is no list for it.
        """
        kinds = {"listener": listener, "track": track, "artist": artist}
        given = [(kind, value) for kind, value in kinds.items() if value is not None]
        if len(given) != 1:
            names = ", ".join(kind for kind, _ in given) or "nothing"
            raise InputError(f"recommend: found {names}, expected exactly one of listener, track and artist")
        ((kind, key),) = given
        return self._for_listener(key) if kind == "listener" else self.product(f"similar_{kind}s", key)

    def _for_listener(self, listener: str) -> RankedRows:
        rows = self.query("recommended_to", user_id=listener)
        if rows.is_empty():
            raise InputError(f"There is no list for the listener {listener!r}. Find listeners by part of the id: find")
        return RankedRows(f"Recommended to {listener}", rows)

    def products(self) -> "pl.DataFrame":
        """List the products: product, description."""
        from recsys.published.products import products

        return products()

    def product(self, name: str, key: str) -> RankedRows:
        """
        Return one list of a product.

        Args:
            name: Name of the product.
            key: Id of the listener, track, artist or playlist that the list belongs to.

        Raises:
            UnknownIds: There is no such product.
            InputError: The product has no list for this key.
        """
        from recsys.published.products import product

        return RankedRows(
            f"{name.replace('_', ' ').capitalize()}: {key}", product(self._home, name, key), measure="score"
        )

    def next(self, tracks: Sequence[str], *, n: int = 10) -> RankedRows:
        """
        List what to play next.

        Args:
            tracks: Ids of the tracks that were played, the last one last.
            n: Maximum number of tracks.

        Raises:
            UnknownIds: The published model does not know a track.
        """
        from recsys.published.next_tracks import next_tracks

        return RankedRows("To play next", next_tracks(self._home, tracks, n), measure="score")

    def similar(
        self,
        track_or_file: str | PathLike[str],
        *,
        by: Literal["sound", "lyrics"] = "sound",
        n: int = 10,
        per_artist: int = 2,
        per_release: int = 1,
        where: str | None = None,
    ) -> RankedRows:
        """
        List the tracks whose sound or lyrics are most similar to those of a track; or whose sound is, to a file's.

        Args:
            track_or_file: Id of a track, or with `by="sound"` also an audio file.
            by: What is compared.
            n: Maximum number of tracks.
            per_artist: Maximum number of tracks of one artist.
            per_release: Maximum number of tracks of one release.
            where: Condition in SQL on columns of tracks, such as "energy < 0.5".

        Raises:
            UnknownIds: The index has no such track.
            InputError: The file cannot be read, or the condition is not valid.
        """
        from recsys.search.by_sound import ListLimits

        name, limits = str(track_or_file), ListLimits(n, per_artist, per_release)
        if by == "lyrics":
            from recsys.published.similar_lyrics import similar_lyrics

            rows = similar_lyrics(self._home, name, limits, where=where)
        else:
            from recsys.published.similar import similar_sound

            rows = similar_sound(self._home, name, limits, self._recipe().audio, where=where)
        return RankedRows(f"Similar {by}: {name}", rows, measure="similarity")

    def search(self, text: str, *, n: int = 20) -> RankedRows:
        """
        Search the catalogue by terms, such as "calm piano, 70-90 bpm, minor".

        Raises:
            InputError: The text cannot be read.
        """
        from recsys.published.search import search_home

        results = search_home(self._home, text, self._recipe().audio, n=n)
        return RankedRows(f"Search: {text}", results.rows, measure="fit", notes=tuple(results.notes()))

    def match(self, path: str | PathLike[str], *, against: str | PathLike[str] | None = None) -> Matches:
        """
        Find recordings of the catalogue in an audio file, or in the files of a folder.

        Args:
            path: The file or folder.
            against: A folder of music to look for instead of the catalogue.

        Raises:
            InputError: There is no file, or the release has no fingerprints.
        """
        from recsys.published.matching import match

        folder = None if against is None else Path(against)
        report = match(self._home, Path(path), self._recipe(), against=folder)
        lengths = {sheet.file: sheet.duration_s for sheet in report.sheets}
        return Matches(report.table, lengths, report.failures | report.not_indexed)

    def train(self, as_of: date, *, recipe: str | PathLike[str] | None = None) -> Training:
        """
        Fit the recipe's recommenders on the training window, after `recsys build` for the same day and recipe.

        Args:
            as_of: Last day of listening to use.
            recipe: File of the recipe. None: the home's own, or else the default one.

        Raises:
            SetupError: The tables are not built, or another run holds the home.
        """
        run = self._advanced(as_of, recipe, "build", "train")
        counts = run.outcome("train") or {}
        numbers = {name: counts[name] for name in ("n_listeners", "n_tracks", "n_pairs")}
        return Training(run.run_id, tuple(counts["recommenders"]), **numbers)

    def evaluate(self, as_of: date, *, recipe: str | PathLike[str] | None = None) -> Evaluation:
        """
        Evaluate the recommenders that `train` fitted, on the days after those that they learned from.

        Args:
            as_of: As in `train`.
            recipe: As in `train`.

        Raises:
            SetupError: The recommenders are not trained, or another run holds the home.
        """
        import polars as pl

        from recsys.pipeline.plan import results

        run = self._advanced(as_of, recipe, "train", "evaluate")
        metrics = pl.read_parquet(results()["run_metrics"].path(run)).drop("run_id")
        return Evaluation(metrics.filter(~pl.col("recommender").str.contains("+", literal=True)))

    def compare(
        self, recommenders: Sequence[str], as_of: date, *, trials: int = 10, cpu_minutes: float = 10.0, k: int = 10
    ) -> Evaluation:
        """
        Tune, fit and evaluate any recommenders on the published warehouse; nothing is written.

        Args:
            recommenders: Their names.
            as_of: Last day of the test window.
            trials: Tuning trials of each recommender; they see only days before the test window.
            cpu_minutes: CPU time for tuning each; after it, no further trial starts.
            k: Length of the evaluated lists.

        Raises:
            BadRecipe: There is no such recommender.
            InputError: No listener can be evaluated.
        """
        from recsys.experiments import comparison
        from recsys.experiments.tuning import Budget

        protocol = comparison.warehouse_protocol(self._home, "temporal", as_of=as_of, recipe=self._recipe())
        settings = comparison.ComparisonSettings(Budget(trials, cpu_minutes * 60), k)
        return Evaluation(comparison.compare(protocol, recommenders, settings).metrics())

    @property
    def _home(self) -> Home:
        return Home(self.path)

    def _warehouse(self) -> "Warehouse":
        from recsys.warehouse.query import Warehouse

        return Warehouse.open(self._home.published_warehouse())

    def _recipe(self, path: str | PathLike[str] | None = None) -> "Recipe":
        from recsys.recipe import recipe_of

        return recipe_of(self._home, None if path is None else Path(path))

    def _advanced(self, as_of: date, recipe: str | PathLike[str] | None, needed: str, last: str) -> "Run":
        """Return the run of a day, after the steps up to `last`."""
        from recsys.migration.opened import opened as opened_for_change
        from recsys.pipeline.nightly import continue_run
        from recsys.pipeline.run import Run

        run = Run.of(self._home, as_of, self._recipe(recipe))
        with opened_for_change(self._home):
            continue_run(run, needed, last)
        return run
