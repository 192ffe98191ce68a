"""Finds the settings with which a peer is fastest."""

CLEARLY_SLOWER = 1.3
"""Who is so much slower in its first runs is not tried again."""
FINAL_ROUNDS = 3
FINAL_SECONDS_MAX = 6.0
WARM_SECONDS_MAX = 1.0
"""The first run allocates, which a longer one does not show."""


def fastest(candidates):
    """The candidate whose fastest run is the shortest.

    A candidate has `run()`, which returns seconds, and `free()`. They come from a generator, in an
    order in which it gets better and then worse: two in a row that are clearly slower end it. The
    others of them then run in turn, so that a slow moment of the machine meets all.
    """
    seconds = {}
    slower_in_a_row = 0
    for candidate in candidates:
        first = candidate.run()
        seconds[candidate] = first if first > WARM_SECONDS_MAX else candidate.run()
        slower = seconds[candidate] > CLEARLY_SLOWER * min(seconds.values())
        slower_in_a_row = slower_in_a_row + 1 if slower else 0
        drop_slow(seconds)
        if slower_in_a_row == 2:
            break
    spent = 0.0
    for _ in range(FINAL_ROUNDS):
        if len(seconds) == 1 or spent + sum(seconds.values()) > FINAL_SECONDS_MAX:
            break
        for candidate in seconds:
            found = candidate.run()
            seconds[candidate] = min(seconds[candidate], found)
            spent += found
    best = min(seconds, key=seconds.get)
    for candidate in seconds:
        if candidate is not best:
            candidate.free()
    return best


def drop_slow(seconds):
    limit = CLEARLY_SLOWER * min(seconds.values())
    for candidate in [each for each, found in seconds.items() if found > limit]:
        candidate.free()
        del seconds[candidate]
