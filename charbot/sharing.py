"""Sharing of large values within a process, as what all personas on one base have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakValueDictionary

P = ParamSpec("P")
T = TypeVar("T")


def shared(make: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function of hashable positional arguments: equal calls return the same value while anything holds it.

    Unlike `functools.cache`, it keeps nothing alive. Threads may share it; two that call at the same time may make the value
    twice.
    """
    held: WeakValueDictionary[Any, T] = WeakValueDictionary()

    @wraps(make)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        value = held.get(args)
        return held.setdefault(args, make(*args, **kwargs)) if value is None else value

    return inner
