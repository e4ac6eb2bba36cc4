"""Published evaluations as loops over pixels, from what their programs do step by step."""

from fractions import Fraction


def pieces(is_set, height, width):
    """The 8-connected pieces in raster order, each a list of pixels."""
    seen, found = set(), []
    for row in range(height):
        for col in range(width):
            if not is_set(row, col) or (row, col) in seen:
                continue
            piece, edge = [], [(row, col)]
            seen.add((row, col))
            while edge:
                at = edge.pop()
                piece.append(at)
                for r in range(at[0] - 1, at[0] + 2):
                    for c in range(at[1] - 1, at[1] + 2):
                        inside = 0 <= r < height and 0 <= c < width
                        if inside and (r, c) not in seen and is_set(r, c):
                            seen.add((r, c))
                            edge.append((r, c))
            found.append(piece)
    return found


def centre(piece):
    return tuple(Fraction(sum(pixel[axis] for pixel in piece), len(piece)) for axis in (0, 1))


def published(masks, truths, *, areas_by_value):
    """(pixAcc, IoU, Pd, Fa) of BasicIRSTD; DNANet and the earlier BasicIRSTD compare areas by value."""
    hit = labelled = correct = union = targets = matched = false = total = 0
    for mask, truth in zip(masks, truths, strict=True):
        height, width = truth.shape
        total += height * width
        for row in range(height):
            for col in range(width):
                on, value = int(mask[row, col] > 127), int(truth[row, col])
                both = int(on and value == 255)
                hit += both
                union += on + int(value >= 128) - both
                labelled += value > 0
                correct += both
        left = pieces(lambda r, c, mask=mask: mask[r, c] > 127, height, width)
        areas, taken = [len(piece) for piece in left], []
        for target in pieces(lambda r, c, truth=truth: truth[r, c] == 255, height, width):
            targets += 1
            for piece in left:
                (r, c), (y, x) = centre(piece), centre(target)
                if (r - y) ** 2 + (c - x) ** 2 < 9:
                    matched += 1
                    taken.append(len(piece))
                    left.remove(piece)
                    break
        if areas_by_value:
            false += sum(area for area in areas if area not in taken)
        else:
            false += sum(map(len, left))
    return correct / labelled, hit / union, matched / targets, false / total
