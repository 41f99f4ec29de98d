"""docs/audit.schema.json: made from the types, and true of audits."""

from __future__ import annotations

import jsonschema
import pytest

from tests.support.audit_records import audit_record
from tests.support.summary_schema import AUDIT_SCHEMA_FILE, audit_schema, audit_schema_text, check_audit


def test_the_file_is_what_the_types_say() -> None:
    assert AUDIT_SCHEMA_FILE.read_text(encoding="utf-8") == audit_schema_text(), "run make docs"


def test_the_schema_is_one_and_every_key_has_a_text() -> None:
    jsonschema.Draft202012Validator.check_schema(audit_schema())
    for definition in audit_schema()["$defs"].values():
        assert all(one["description"] for one in definition["properties"].values())


def test_an_audit_fits_and_another_verdict_does_not() -> None:
    audit = audit_record()
    check_audit(audit)
    audit["findings"]["idle_timeout"]["verdict"] = "bad"  # type: ignore[typeddict-item] # it is no verdict
    with pytest.raises(AssertionError, match=r"\$\.findings\.idle_timeout\.verdict"):
        check_audit(audit)
