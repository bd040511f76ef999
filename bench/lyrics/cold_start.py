"""
Cold start by words: nDCG@20 for tracks that nobody has played, with lyric features and without.

Half of the recordings with lyrics of a demo world are removed from all interactions. Each recommender then ranks these
cold tracks alone for the listeners who play them: without lyrics (artist, genres, delivered language), with lyric
features as well, and with those of other tracks, a control that must show no gain. There are two worlds: in the first,
preferences follow theme and language by design, so the figures show that the mechanism works, not how well it works on
real lyrics; in the second, they do not follow words, which shows what features cost that say nothing. Weight and number
of components were chosen on worlds of seed 11.
"""

from dataclasses import replace

from bench.options import benchmark, size

NAMES = ("content", "ease", "als")


@benchmark(headline=r"content +(\d\.\d{4})", description=__doc__)
@size("--seed", default=7, smallest=7, help="Seed of the worlds.")
@size("--scale", default=0.2, smallest=0.04, help="Factor on the listeners; 1 is 2,500.")
@size("--texts", "n_texts", default=600, smallest=120, help="Recordings with lyrics.")
@size("--recommender", "names", multiple=True, default=NAMES, smallest=NAMES[:1], help="Model; may be repeated.")
def main(seed: int, scale: float, n_texts: int, names: tuple[str, ...]) -> None:
    """Print one table per world."""
    from bench.recommenders.cold_start import compare
    from bench.recommenders.worlds import demo_words
    from recsys.dataset.lyric_features import lyric_features
    from recsys.demo.world import World

    world = World(seed=seed, scale=scale, n_tracks_with_audio=0, n_tracks_with_lyrics=n_texts)
    for title, weight in (("Preferences follow words", 3.0), ("Preferences do not follow words", 0.0)):
        print(f"\n{title}:")
        pairs, catalogue, words = demo_words(replace(world, words_weight=weight))
        compare(pairs, lyric_features(words), names, catalogue=catalogue)
    print("\nbar where they follow words: with / without >= 1.5; shuffled no better than without, beyond noise")


if __name__ == "__main__":
    main()
