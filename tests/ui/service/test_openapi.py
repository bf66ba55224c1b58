"""The service keeps to its OpenAPI document, whatever schemathesis thinks of."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from serving import Served

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis comes with the [dev] extra")

# Random bytes fit "binary" and are no sound: that they are refused with 422 is right, and not what these two expect.
NOT_OURS = ("positive_data_acceptance", "missing_required_header")


@pytest.fixture(scope="session")
def document(served: Served) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{served.port}/v1/openapi.json")


schema = schemathesis.pytest.from_fixture("document")


@schema.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_the_service_keeps_to_its_document(case: Any) -> None:
    excluded = [check for check in schemathesis.checks.CHECKS.get_all() if check.__name__ in NOT_OURS]
    case.call_and_validate(excluded_checks=excluded, timeout=30)


def test_examples_are_of_their_schema(served: Served) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    whole = served.ask("GET", "/v1/openapi.json").json
    examples = 0
    for path in whole["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                for told in response.get("content", {}).values():
                    if "example" in told:
                        examples += 1
                        jsonschema.validate(told["example"], {**told["schema"], "components": whole["components"]})
    assert examples > 20
