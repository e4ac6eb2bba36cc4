"""Videos: every picture by its exact index, as luma."""

import numpy as np
import pytest
from click.testing import CliRunner
from tools.images import noise

from pointmask.cli import main
from pointmask.errors import ImageError
from pointmask.io.images import array as images


def video(path, codec, form, pictures):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = form
        for number, luma in enumerate(pictures):
            frame = av.VideoFrame(stream.width, stream.height, form)
            for index, plane in enumerate(frame.planes):
                size = np.dtype("u1" if luma.dtype == np.uint8 else "<u2")
                rows = np.full(
                    (plane.height, plane.line_size // size.itemsize), 1 << (size.itemsize * 8 - 1), size
                )
                if index == 0:
                    rows[:, : stream.width] = luma
                plane.update(rows.tobytes())
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "codec", "form", "slack"),
    [
        ("a.mkv", "ffv1", "gray", 0),
        ("a.mkv", "ffv1", "yuv420p", 0),
        ("a.avi", "ffv1", "yuv420p", 0),
        ("a.mkv", "ffv1", "gray16le", 0),
        ("a.mp4", "libx264", "yuv420p", 6),
        ("a.avi", "mpeg4", "yuv420p", 6),
        ("a.mov", "mjpeg", "yuvj420p", 6),
    ],
)
def test_each_picture_of_a_video_has_its_index_and_its_luma(tmp_path, name, codec, form, slack):
    deep = form == "gray16le"
    pictures = []
    for number in range(90):
        luma = np.full((48, 64), 40, np.uint16 if deep else np.uint8)
        luma[20:28, number % 50 : number % 50 + 12] = 60000 - 300 * number if deep else 150 + number
        pictures.append(luma)
    path = video(tmp_path / name, codec, form, pictures)
    with images.open_image(path) as file:
        assert file.frames == 90
        assert file.shape() == (48, 64)
        order = [*range(90), 50, 3, 89, 0, 70, 12, 13, 88]
        for frame in order:
            errors = np.abs(np.array(pictures, float) - file.decode(frame)).mean((1, 2))
            assert errors.argmin() == frame
            assert errors[frame] <= slack
        with pytest.raises(ImageError, match="holds frames 0 to 89"):
            file.decode(90)


def test_a_job_annotates_pictures_of_a_video(tmp_path):
    pictures = [np.full((64, 64), 50, np.uint8) for _ in range(5)]
    for number, luma in enumerate(pictures):
        luma[30:33, 10 * number + 8 : 10 * number + 11] = 220
    (tmp_path / "images").mkdir()
    video(tmp_path / "images" / "seq.mkv", "ffv1", "gray", pictures)
    (tmp_path / "p.csv").write_text("image,x,y,frame\nseq.mkv,29,31,2\nseq.mkv,49,31,4\n")
    out = tmp_path / "o"
    line = ["annotate", str(tmp_path / "images"), "--points", str(tmp_path / "p.csv"), "--out", str(out)]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 0, result.output
    assert images.read_mask(out / "masks" / "seq_0002.png")[31, 29]
    assert images.read_mask(out / "masks" / "seq_0004.png")[31, 49]


def test_damaged_videos_are_errors(tmp_path):
    path = video(tmp_path / "a.mkv", "ffv1", "gray", [noise((32, 32), seed=k) for k in range(9)])
    data = path.read_bytes()
    for damaged in (data[:60], data[:40] + bytes(400)):
        path.write_bytes(damaged)
        with pytest.raises(ImageError, match=r"a\.mkv: "), images.open_image(path) as file:
            file.decode(file.frames - 1)
