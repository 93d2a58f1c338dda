"""docker-compose.yml, Dockerfile and the locks, judged without a container engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VARIABLES = re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", COMPOSE_TEXT)
SECRET = re.compile(r"PASSWORD|SECRET|FERNET|TOKEN|_KEY$")
LOCKS = ("requirements.lock", "requirements.production.lock")


def env_example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))  # type: ignore[misc]


def dockerfile() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def final_stage() -> list[tuple[str, str]]:
    instructions = dockerfile()
    last_from = max(n for n, (word, _) in enumerate(instructions) if word == "FROM")
    return instructions[last_from:]


def test_the_compose_file_follows_the_compose_specification():
    schema = json.loads((ROOT / "tests/data/compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_every_variable_of_the_compose_file_is_explained_in_the_example_environment():
    assert {name for name, _ in VARIABLES} == set(env_example())


def test_the_example_environment_holds_no_value_that_works():
    assert set(env_example().values()) == {""}


def test_every_secret_is_required_and_none_has_a_default():
    secrets = {name: rest for name, rest in VARIABLES if SECRET.search(name)}
    assert len(secrets) == 6
    assert all(rest.startswith(":?") for rest in secrets.values())


def test_no_secret_is_written_into_the_compose_file():
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not SECRET.search(name) or str(value).startswith("${"), name


@pytest.mark.parametrize("name", [name for name, s in SERVICES.items() if s.get("restart") != "no"])
def test_every_long_running_service_is_watched_and_restarted(name: str):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_ports_are_bound_to_this_machine_unless_told_otherwise():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("${BIND_ADDRESS:-127.0.0.1}:") for port in ports)


def test_metadata_and_warehouse_are_two_servers_with_their_own_volumes():
    kept = {name: SERVICES[name]["volumes"][0].split(":")[0] for name in ("metadata", "warehouse")}
    assert kept == {"metadata": "metadata", "warehouse": "warehouse"}
    assert set(kept.values()) <= set(COMPOSE["volumes"])


def test_what_people_put_in_is_mounted_read_only():
    mounts = [m for m in SERVICES["scheduler"]["volumes"] if isinstance(m, dict)]
    assert [(m["target"], m["read_only"]) for m in mounts] == [("/data/inbox", True), ("/data/notices", True)]


def test_production_does_not_use_the_auth_manager_for_development():
    manager = SERVICES["apiserver"]["environment"]["AIRFLOW__CORE__AUTH_MANAGER"]
    assert manager.endswith("FabAuthManager")
    assert "apache-airflow-providers-fab==" in (ROOT / "requirements.production.lock").read_text(encoding="utf-8")


def test_all_airflow_services_share_image_and_secrets():
    shared = [SERVICES[name] for name in ("apiserver", "scheduler", "dag-processor")]
    assert len({service["image"] for service in shared}) == 1
    assert shared[0]["environment"] == shared[1]["environment"] == shared[2]["environment"]


def test_the_image_ends_as_a_user_without_rights():
    users = [value for word, value in final_stage() if word == "USER"]
    assert users
    assert users[-1].split(":")[0] not in ("root", "0")


def test_every_base_image_is_pinned():
    bases = [value.split()[0] for word, value in dockerfile() if word == "FROM"]
    images = bases + [SERVICES[name]["image"] for name in ("metadata", "warehouse")]
    assert all(re.search(r":\d+\.\d+(\.\d+)?-", image) for image in images)


def test_the_image_installs_only_by_hash():
    installs = [value for word, value in dockerfile() if word == "RUN" and "pip install" in value]
    commands = [c for value in installs for c in value.split("&&") if "pip install" in c]
    assert all("--require-hashes" in c or "--no-deps /build/wheel" in c for c in commands)


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_address_and_no_folder(lock: str):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.findall(r"https?://|file:|--index-url|--find-links|(?:^|\s)/\w", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_the_lock_has_a_hash(lock: str):
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text(encoding="utf-8"))
    packages = [block for block in blocks if re.match(r"[a-z0-9][\w.-]*==", block)]
    assert len(packages) > 100
    assert all("--hash=sha256:" in block for block in packages)


def test_what_is_tested_is_what_is_shipped():
    tested, shipped = (
        dict(re.findall(r"^([a-z0-9][\w.-]*)==([^\s;]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
        for lock in LOCKS
    )
    assert {name: shipped[name] for name in shipped.keys() & tested.keys() if shipped[name] != tested[name]} == {}
