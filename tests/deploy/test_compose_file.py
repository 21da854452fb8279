"""`docker-compose.yml`: valid by the specification, and as closed as docs/deploy.md says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
# From https://github.com/compose-spec/compose-spec at 170098b (2026-06-23), Apache-2.0.
SCHEMA = json.loads((ROOT / "tests" / "support" / "schemas" / "compose-spec.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"migrate", "model-pull", "model-pull-cpu"}

every_service = pytest.mark.parametrize("name", SERVICES)


def complaints(file: dict[str, Any]) -> list[str]:
    validator: Any = jsonschema.Draft7Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(file)]


def test_it_is_valid_by_the_compose_specification():
    assert complaints(COMPOSE) == []


def test_the_specification_would_notice_a_mistake():
    assert complaints({**COMPOSE, "services": {"app": {"imag": "x"}}})
    assert complaints({**COMPOSE, "services": {"app": {"depends_on": {"x": {"condition": "service_done"}}}}})


@every_service
def test_a_service_has_no_capability_that_it_does_not_need_and_gains_none(name: str):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "/var/run/docker.sock" not in json.dumps(service)
    assert set(service.get("cap_add", [])) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert service.get("cap_add") is None or name == "postgres"
    assert service.get("read_only") is True or name == "searxng"


@every_service
def test_a_service_has_limits_and_says_how_it_is(name: str):
    service = SERVICES[name]
    assert "memory" in service["deploy"]["resources"]["limits"]
    assert name in ONCE or service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == ("on-failure:3" if name in ONCE else "unless-stopped")


def test_only_the_app_can_be_reached_and_from_this_machine_only():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"app": ["${DESKCLERK_BIND:-127.0.0.1}:${DESKCLERK_PUBLISHED_PORT:-8000}:8000"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert set(SERVICES["postgres"]["networks"]) == set(SERVICES["redis"]["networks"]) == {"inside"}


def test_the_database_is_migrated_once_and_the_model_is_there_before_the_app_begins():
    waits = SERVICES["app"]["depends_on"]
    assert waits["migrate"] == {"condition": "service_completed_successfully"}
    assert waits["postgres"] == {"condition": "service_healthy"}
    for pull in ("model-pull", "model-pull-cpu"):
        assert waits[pull] == {"condition": "service_completed_successfully", "required": False}
    assert SERVICES["migrate"]["command"] == ["db", "migrate"]
    assert "pgvector/pgvector" in SERVICES["postgres"]["image"]


def test_a_gpu_is_reserved_with_the_profile_that_has_one_and_with_no_other():
    reserved = SERVICES["ollama"]["deploy"]["resources"]["reservations"]["devices"]
    assert reserved == [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]
    assert "reservations" not in SERVICES["ollama-cpu"]["deploy"]["resources"]
    assert (SERVICES["ollama"]["profiles"], SERVICES["ollama-cpu"]["profiles"]) == (["gpu"], ["cpu"])
    for name in ("ollama", "ollama-cpu"):
        assert SERVICES[name]["networks"]["inside"] == {"aliases": ["ollama"]}


def test_images_are_named_by_a_version():
    tags = {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", service["image"]) for name, service in SERVICES.items()}
    assert {name for name, image in tags.items() if image.endswith(":latest") or ":" not in image} == {"searxng"}


def test_searxng_answers_in_json():
    settings = yaml.safe_load((ROOT / "deploy" / "searxng" / "settings.yml").read_text())
    assert "json" in settings["search"]["formats"]
    assert "secret_key" not in settings["server"]
