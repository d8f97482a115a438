"""A few threads that answer one question each, with a queue that is bounded and a patience that ends."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class BusyError(Exception):
    """As many questions wait as may wait."""


class Workers(Generic[Question, Answer]):
    """Threads that call one function.

    A thread cannot be stopped: a question that was given up keeps its thread, and its place among those
    that may wait, until the function returns. So what the function may be asked must be limited as well.

    Args:
        answer: the function; several threads call it at a time.
        threads: how many questions are worked on at a time.
        most: how many may be worked on or wait.
        patience: seconds until a question is given up.
    """

    def __init__(
        self, answer: Callable[[Question], Answer], *, threads: int, most: int, patience: float
    ) -> None:
        self._answer = answer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="digits")
        self._places = threading.BoundedSemaphore(most)
        self._patience = patience

    async def ask(self, question: Question) -> Answer:
        """Wait for the function's answer to `question`, and raise what the function raises.

        Raises:
            BusyError: as many questions wait as may wait; this one was not taken.
            TimeoutError: the answer did not come in time.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError
        future = self._pool.submit(self._answer, question)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wait_for(asyncio.wrap_future(future), self._patience)
