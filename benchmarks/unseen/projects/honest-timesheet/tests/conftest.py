import pathlib

import pytest

JUNE = pathlib.Path(__file__).parent.parent / "examples" / "june.tsv"


@pytest.fixture
def june():
    return JUNE
