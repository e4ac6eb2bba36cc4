"""The filters of PNG's rows as the specification has them, one byte at a time."""


def unfilter(rows, step):
    """Return the bytes of all rows as lists of ints."""
    above, pixels = [0] * (len(rows[0]) - 1), []
    for kind, *stored in rows.tolist():
        row = []
        for j, byte in enumerate(stored):
            a = row[j - step] if j >= step else 0
            b = above[j]
            c = above[j - step] if j >= step else 0
            guess = (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]
            row.append((byte + guess) % 256)
        pixels.append(row)
        above = row
    return pixels


def paeth(a, b, c):
    """Return which of left, above and corner is nearest to a + b - c; the first of equals."""
    return min((a, b, c), key=lambda near: abs(a + b - c - near))
