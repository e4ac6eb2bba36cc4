"""A folder of images is told from a folder of masks without being listed."""

import os

import numpy as np
import pytest
from tools.folders import save, spot

from pointmask.errors import ImageError
from pointmask.io.images import folder
from pointmask.io.images.folder import list_images, some_images
from pointmask.places import check_images

MASK = np.zeros((12, 12), np.uint8)
MASK[5:7, 5:7] = 255


def test_a_few_images_are_some_of_all_and_no_more_is_read(tmp_path, monkeypatch):
    for name in ("a.png", "b.png", "sub/c.png", "sub/deeper/d.png", ".hidden/e.png", ".f.png"):
        save(tmp_path / name, spot())
    (tmp_path / "notes.txt").touch()
    (tmp_path / "sub/again").symlink_to(tmp_path, target_is_directory=True)
    assert sorted(some_images(tmp_path, 100)) == list_images(tmp_path)
    assert set(some_images(tmp_path, 3)) < set(list_images(tmp_path))
    read = []
    monkeypatch.setattr(folder.os, "scandir", lambda path, real=os.scandir: read.append(path) or real(path))
    assert len(some_images(tmp_path, 2)) == 2
    assert read == [tmp_path]


def test_masks_are_refused_and_masks_beside_their_images_are_not(tmp_path):
    for k in range(8):
        save(tmp_path / f"masks/{k}.png", MASK)
        save(tmp_path / f"both/{k}.png", spot())
        save(tmp_path / f"both/{k}_mask.png", MASK)
    with pytest.raises(ImageError, match="holds masks, not images"):
        check_images(tmp_path / "masks")
    check_images(tmp_path / "both")


def test_masks_that_the_system_names_first_do_not_make_a_folder_one_of_masks(tmp_path, monkeypatch):
    for k in range(8):
        save(tmp_path / f"{k}.png", spot())
        save(tmp_path / f"{k}_mask.png", MASK)
    monkeypatch.setattr(
        "pointmask.places.some_images", lambda root, most: [f"{k}_mask.png" for k in range(most)]
    )
    check_images(tmp_path)
