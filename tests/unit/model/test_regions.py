"""The region that a resource names, in the words of its provider."""

from typing import Any

import pytest

from plangate.model.regions import own_region
from plangate.model.values import UNKNOWN, AllUnknown


@pytest.mark.parametrize(
    ("cloud", "values", "region"),
    [
        ("azure", {"location": "West Europe"}, "westeurope"),
        ("azure", {"location": "westeurope"}, "westeurope"),
        ("azure", {"location": UNKNOWN}, UNKNOWN),
        ("azure", {"location": None}, ""),
        ("azure", {"region": "westeurope"}, ""),
        ("google", {"zone": "europe-west1-b"}, "europe-west1"),
        ("google", {"region": "europe-west1"}, "europe-west1"),
        (
            "google",
            {"region": "https://www.googleapis.com/compute/v1/projects/p/regions/europe-west1"},
            "europe-west1",
        ),
        ("google", {"location": "EU"}, "eu"),
        ("google", {"location": "us-central1-a"}, "us-central1"),
        ("google", {"region": None, "zone": "us-central1-a"}, "us-central1"),
        ("google", {"region": UNKNOWN, "zone": "us-central1-a"}, UNKNOWN),
        ("google", {"region": 5}, ""),
        ("google", AllUnknown(), UNKNOWN),
        ("aws", {"region": "eu-central-1"}, ""),
        ("", {"location": "here"}, ""),
    ],
)
def test_a_region_is_read_from_what_names_it(cloud: str, values: Any, region: object) -> None:
    assert own_region(cloud, values) == region
