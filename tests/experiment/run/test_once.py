import gc
import weakref

from dermaug.experiment.run.once import once_per_run
from dermaug.experiment.run.run import Run


def test_results_live_as_long_as_their_run_and_keep_none_alive() -> None:
    calls: list[str] = []

    @once_per_run
    def computed(_run: Run, name: str) -> object:
        calls.append(name)
        return object()

    run, other = object.__new__(Run), object.__new__(Run)
    assert computed(run, "a") is computed(run, "a")
    assert computed(run, "b") is not computed(run, "a")
    assert computed(other, "a") is not computed(run, "a")
    assert calls == ["a", "b", "a"]
    gone = weakref.ref(run)
    del run
    gc.collect()
    assert gone() is None
    assert computed(other, name="a") is not None
