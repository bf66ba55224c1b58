"""The service keeps to its OpenAPI document, whatever schemathesis thinks of."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import Served

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis comes with the [dev] extra")

# Random bytes fit "binary" and are no sound: that they are refused with 422 is right, and not what these two expect.
NOT_OURS = ("positive_data_acceptance", "missing_required_header")


OPERATIONS = (
    *("POST /v1/recognise", "POST /v1/timeline", "GET /v1/jobs/{job_id}", "DELETE /v1/jobs/{job_id}"),
    *("GET /v1/jobs/{job_id}/timeline", "GET /v1/models", "GET /health", "GET /ready", "GET /metrics"),
)


@pytest.fixture(scope="session")
def document(served: Served) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{served.port}/v1/openapi.json")


def test_every_operation_is_tried(document: Any) -> None:
    assert {each.ok().label for each in document.get_all_operations()} == set(OPERATIONS)


@pytest.mark.parametrize("label", OPERATIONS)
def test_the_service_keeps_to_its_document(document: Any, label: str) -> None:
    (operation,) = (each.ok() for each in document.get_all_operations() if each.ok().label == label)
    checks = [check for check in schemathesis.checks.CHECKS.get_all() if check.__name__ not in NOT_OURS]

    @given(case=st.one_of(operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode))
    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    def holds(case: Any) -> None:
        case.call_and_validate(checks=checks, timeout=30)

    holds()


def test_examples_are_of_their_schema(served: Served) -> None:
    jsonschema = pytest.importorskip("jsonschema_rs")
    whole = served.ask("GET", "/v1/openapi.json").json
    examples = 0
    for path in whole["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                for told in response.get("content", {}).values():
                    if "example" in told:
                        examples += 1
                        validator = jsonschema.validator_for({**told["schema"], "components": whole["components"]})
                        assert validator.is_valid(told["example"]), told["example"]
    assert examples > 20
