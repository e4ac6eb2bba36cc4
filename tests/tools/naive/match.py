"""The matching of names as its rule reads: every key against every name, without an index."""

import re
from collections import defaultdict


def stem(name):
    """Drop the suffix of an image."""
    return re.sub(r"\.(png|bmp|jpg|jpeg|tif|tiff|npy|bin|raw|dat|img)\Z", "", name, flags=re.IGNORECASE)


def fitting(key, names):
    """Return the names that a key without frame fits best, sorted, and the folders dropped for it."""
    parts = key.split("/")
    for k in range(len(parts)):
        rest = "/".join(parts[k:])
        forms = [lambda name: name, stem]
        if len(parts) == 1:
            forms += [lambda name: name.split("/")[-1], lambda name: stem(name.split("/")[-1])]
        for form in forms:
            for wanted in (rest, stem(rest)):
                fits = sorted(name for name in names if form(name) == wanted)
                if fits:
                    return fits, parts[:k]
    return [], []


def match(keys, names):
    """Return images by key, keys that fit none, and those that fit several or whose folders disagree."""
    images, dropped, unmatched, ambiguous = {}, {}, [], {}
    for key in keys:
        frame, (fits, folders) = 0, fitting(key, names)
        name, _, tail = key.rpartition("#")
        digits, dot, suffix = tail.partition(".")
        is_frame = re.fullmatch("[0-9]{1,9}", digits) and (not dot or re.fullmatch(r"\w+", suffix))
        if not fits and name and is_frame:
            frame, (fits, folders) = int(digits), fitting(name + dot + suffix, names)
        if not fits:
            unmatched.append(key)
        elif len(fits) > 1:
            ambiguous[key] = tuple(fits)
        else:
            images[key], dropped[key] = (fits[0], frame), tuple(folders)
    opinions = defaultdict(set)
    for key, image in images.items():
        opinions[image].add(dropped[key])
    for key, image in list(images.items()):
        if dropped[key] and len(opinions[image]) > 1:
            ambiguous[key] = (images.pop(key)[0],)
    return images, unmatched, ambiguous
