"""Configurations as plain data: frozen dataclasses from YAML, JSON and ``--set name.field=value``.

Pydantic checks and converts the types; the messages are ours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from genailab.errors import InputError, nearest

__all__ = ["build", "differences", "read_yaml", "to_yaml", "with_settings"]

T = TypeVar("T")


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """Return the configuration dataclass ``cls`` with these values, nested ones as nested mappings.

    Raises
    ------
    InputError
        If a name is unknown (the nearest are suggested) or a value has the wrong type.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Settings:
    ...     n_latent: int = 10
    >>> build(Settings, {"n_latent": "20"})
    Settings(n_latent=20)
    """
    _check_names(cls, values, known=_setting_names(cls))
    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        raise _first_sentence(error) from error


def with_settings(config: T, settings: Sequence[str]) -> T:
    """Return ``config`` with ``name.field=value`` settings applied, the values read as YAML.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Settings:
    ...     n_latent: int = 10
    >>> with_settings(Settings(), ["n_latent=20"])
    Settings(n_latent=20)
    """
    values = dataclasses.asdict(config)  # type: ignore[call-overload]
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise InputError(
                f"cannot read the setting {setting!r}: write it as name=value, for example vae.n_latent=20"
            )
        _put(values, name.strip(), _parse(name, text), known=_setting_names(type(config)))
    return build(type(config), values)


def to_yaml(config: Any) -> str:
    """Return the configuration as YAML, in the order of its fields."""
    return yaml.safe_dump(_plain(dataclasses.asdict(config)), sort_keys=False)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping, such as ``config.yaml`` of an earlier run."""
    path = Path(path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the configuration {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text: give a YAML file, like config.yaml of a run") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise InputError(
            f"{path} is not a configuration: it must hold names and values, like config.yaml of a run"
        )
    return values


def differences(before: Any, after: Any) -> list[str]:
    """Name the settings in which two configurations of one class differ, with both values."""
    old, new = _flat(_plain(dataclasses.asdict(before))), _flat(_plain(dataclasses.asdict(after)))
    return [
        f"{name} was {old.get(name)!r}, now {new.get(name)!r}" for name in new if old.get(name) != new[name]
    ]


def _setting_names(cls: Any) -> list[str]:
    """Name every setting and group in full; those of the top level come first."""
    hints = get_type_hints(cls)
    groups = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)}
    return [*hints, *(f"{group}.{name}" for group in groups for name in _setting_names(groups[group]))]


def _unknown(name: str, known: Sequence[str]) -> InputError:
    group = name.rpartition(".")[0]
    beside = [other for other in known if other.rpartition(".")[0] == group]
    # Without a group that exists, the setting may be one of any group.
    candidates = beside if group and beside else known
    return InputError(f"there is no setting {name!r}: {nearest(name, candidates, by=_last_part)}")


def _last_part(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _check_names(cls: Any, values: Mapping[str, Any], *, known: Sequence[str], prefix: str = "") -> None:
    hints = get_type_hints(cls)
    for name, value in values.items():
        if name not in hints:
            raise _unknown(f"{prefix}{name}", known)
        if dataclasses.is_dataclass(hints[name]) and isinstance(value, Mapping):
            _check_names(hints[name], value, known=known, prefix=f"{prefix}{name}.")


def _first_sentence(error: ValidationError) -> InputError:
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    name = ".".join(str(part) for part in first["loc"])
    if isinstance(cause, InputError):  # a configuration's own check says it best
        return InputError(f"in the settings of {name!r}, {cause}") if name else cause
    if first["type"] == "tuple_type":
        return InputError(f"the setting {name!r} cannot be {first['input']!r}: write a list, such as [a, b]")
    return InputError(f"the setting {name!r} cannot be {first['input']!r}: {first['msg'].lower()}")


def _put(values: dict[str, Any], name: str, value: Any, *, known: Sequence[str]) -> None:
    *parents, last = name.split(".")
    for parent in parents:
        inner = values.get(parent)
        if not isinstance(inner, dict):
            raise _unknown(name, known)
        values = inner
    if isinstance(values.get(last), dict):
        raise InputError(
            f"{name!r} is a group of settings: set one of them, for example {name}.{next(iter(values[last]))}"
        )
    values[last] = value


def _parse(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"cannot read the value of {name!r}: {text!r} is not valid YAML") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
