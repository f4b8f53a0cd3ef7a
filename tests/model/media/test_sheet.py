"""A contact sheet shows every frame where its row and column say."""

from pathlib import Path

import pytest
import torch

from hamvae_model.errors import UsageError
from hamvae_model.media import read, sheet, write

ROWS = [torch.randint(256, (t, 3, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(t)) for t in (3, 2)]


def test_every_frame_stands_in_its_cell() -> None:
    picture = sheet(ROWS, gutter=2)
    assert picture.shape == (3, 2 + 2 * (6 + 2), 2 + 3 * (5 + 2))
    for i, row in enumerate(ROWS):
        for j, frame in enumerate(row):
            assert torch.equal(picture[:, 2 + 8 * i : 8 + 8 * i, 2 + 7 * j : 7 + 7 * j], frame)


def test_gutters_and_missing_frames_are_one_neutral_grey() -> None:
    picture = sheet(ROWS, gutter=2)
    outside = torch.cat([picture[:, :2].flatten(), picture[:, :, -2:].flatten(), picture[:, 10:, 16:].flatten()])
    assert outside.min() == outside.max()


def test_scale_enlarges_the_frames_but_not_the_gutters() -> None:
    picture = sheet([ROWS[0]], scale=4, gutter=1)
    assert picture.shape == (3, 24 + 2, 3 * 20 + 4)
    assert torch.equal(picture[:, 1:25:4, 1:21:4], ROWS[0][0])


def test_labels_only_add_margins() -> None:
    bare = sheet(ROWS, scale=6)
    labelled = sheet(ROWS, scale=6, row_labels=["first", "second"], column_labels=["0", "1", "2"])
    height, width = bare.shape[-2:]
    assert torch.equal(labelled[:, -height:, -width:], bare)
    assert labelled[:, :-height].float().std() > 0
    assert labelled[:, :, :-width].float().std() > 0


def test_a_sheet_saved_as_png_reads_back_as_one_frame(tmp_path: Path) -> None:
    picture = sheet([torch.zeros(4, 3, 7, 7, dtype=torch.uint8)])
    write(tmp_path / "sheet.png", picture[None])
    assert torch.equal(read(tmp_path / "sheet.png").frames, picture[None])


@pytest.mark.parametrize(
    ("rows", "labels", "sentence"),
    [
        ([], [], "at least one row"),
        ([ROWS[0], torch.zeros(1, 3, 5, 6).byte()], [], "of one size"),
        (ROWS, ["only one"], "2 rows but 1 row labels"),
    ],
)
def test_rows_that_make_no_grid_are_refused(rows: list[torch.Tensor], labels: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        sheet(rows, row_labels=labels)
