import gc

from charbot.sharing import shared


class _Large:
    def __init__(self, number: int) -> None:
        self.number = number


def test_equal_calls_share_a_value_while_it_is_used() -> None:
    made = []

    @shared
    def large(number: int) -> _Large:
        made.append(number)
        return _Large(number)

    first, again, other = large(1), large(1), large(2)
    assert first is again
    assert other.number == 2
    assert made == [1, 2]
    del first, again
    gc.collect()
    assert large(1).number == 1
    assert made == [1, 2, 1], "kept alive"
