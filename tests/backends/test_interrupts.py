import signal
import threading

import pytest

from rag_qa.backends.interrupts import uninterrupted


@pytest.fixture(autouse=True)
def _interruptible():
    """Ctrl-C as a program in the foreground has it: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_end_of_the_block():
    """Ctrl-C inside the block takes effect once, when the block has ended."""
    steps = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # the order of the steps is what is tested
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            steps.append("loaded")
        steps.append("never")
    assert steps == ["loaded"]


def test_afterwards_everything_is_as_before():
    """Without an interrupt nothing is raised, and the handler that was there is back, after an error too."""
    before = signal.getsignal(signal.SIGINT)
    with uninterrupted():
        pass
    with pytest.raises(ZeroDivisionError), uninterrupted():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_are_left_alone():
    """Off the main thread, where Python knows no signals, the block simply runs."""
    done = []

    def load():
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    assert done == [True]
