"""The stricter protocol: the validation list takes no part in a training, and is scored like a test list.

Strategies that learn from validation images have seen them, if not their masks. Here a fifth of the train
list validates instead, for every row alike, and the validation list tells how each does on new images.
"""

from pathlib import Path

from pointmask.io.files import write_whole

_EVERY = 5  # images of the train list, of which one validates


def held_lists(root: Path, include: str, folder: Path) -> tuple[Path, Path]:
    """Write a train and a validation list, parts of the train list of `root`, into `folder`."""
    from pointmask_trainer.data.folder import find_images, split_ids

    train, _ = split_ids(root, find_images(root), include=include)
    held = train[::_EVERY]
    paths = []
    for name, ids in (("train", [key for key in train if key not in set(held)]), ("val", held)):
        paths.append(folder / f"own_{name}.txt")
        write_whole(paths[-1], "".join(f"{key}\n" for key in ids))
    return paths[0], paths[1]
