import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dermaug.evaluation.subgroups import age_band_names, age_bands


@given(st.lists(st.floats(0.0, 120.0) | st.just(float("nan")), max_size=20))
def test_every_age_is_in_its_band(years: list[float]) -> None:
    starts = {"under 30": 0, "30–44": 30, "45–59": 45, "60–74": 60, "75 and over": 75}
    assert list(starts) == age_band_names()
    for age, band in zip(years, age_bands(np.array(years)), strict=True):
        if np.isnan(age):
            assert band == "unknown"
        else:
            assert band == max((s, name) for name, s in starts.items() if s <= age)[1]
