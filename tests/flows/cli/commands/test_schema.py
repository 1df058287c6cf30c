import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.document_sets import read


@pytest.mark.parametrize("what", ["spec", "context", "assignment"])
def test_schemas_are_valid_and_titled(call, what):
    document = call("schema", what).json()
    Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (
        document["title"]
        == {"spec": "plait spec", "context": "plait context document", "assignment": "plait assignment"}[what]
    )
    assert call("schema", what, "--json").json() == document


def test_the_spec_schema_accepts_templates_and_own_fields_and_refuses_unknown_ones(call, tmp_path):
    call("init", "parallel", tmp_path)
    validator = Draft202012Validator(call("schema").json())
    spec = yaml.safe_load((tmp_path / "plait.yaml").read_text())
    assert list(validator.iter_errors(spec)) == []
    spec["x-team"] = {"any": "thing"}
    spec["parallel_tasks"][0]["x-note"] = 1
    assert list(validator.iter_errors(spec)) == []
    assert list(validator.iter_errors({**spec, "paralel_tasks": []})) != []


def test_a_set_of_documents_fits_its_schemas(call, documents):
    context = Draft202012Validator(call("schema", "context").json())
    for path in documents.paths:
        assert list(context.iter_errors(read(path))) == [], path.name
    assert list(Draft202012Validator(call("schema").json()).iter_errors(read(documents.parent))) == []
