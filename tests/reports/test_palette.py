"""Laws of the colours: told apart by any eye, seen on either background."""

import itertools

import numpy as np
import pytest

from genailab.reports.palette import THEMES, TYPE_COLOURS, type_colour, type_symbol

# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "full": np.eye(3),
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    # Ottosson 2020.
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return lab @ np.cbrt(cones @ np.clip(rgb, 0, None))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", THEMES)
def test_any_two_types_differ_to_any_eye(theme, vision):
    seen = [oklab(np.array(VISION[vision]) @ linear(colour)) for colour in TYPE_COLOURS[theme]]
    closest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert closest > 0.06  # about three just-noticeable differences


@pytest.mark.parametrize("theme", THEMES)
def test_types_stand_out_from_the_figure(theme):
    assert min(contrast(colour, THEMES[theme]["surface"]) for colour in TYPE_COLOURS[theme]) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("background", ["page", "surface", "raised"])
@pytest.mark.parametrize("text", ["ink", "muted", "accent"])
def test_text_has_aa_contrast(theme, background, text):
    assert contrast(THEMES[theme][text], THEMES[theme][background]) >= 4.5


def test_after_the_last_colour_the_shape_changes():
    looks = {(type_colour(index, "light"), type_symbol(index)) for index in range(48)}
    assert len(looks) == 48
