"""CSV files of public data portals."""

import unicodedata
from pathlib import Path

from rules_svc.places.csv_reader import rows
from rules_svc.places.mappings import load_mapping, names


def test_decomposed_headings_and_cells_are_composed(tmp_path: Path) -> None:
    """A file that went through a Mac has headings that look right and match nothing."""
    mapping = load_mapping(names()[0])
    columns = mapping.columns
    header = [columns.latitude[0], columns.longitude[0], *columns.kind[:1]]
    cells = ["37.5", "127.0", *(what.when[0] for what in mapping.places[:1] if what.when)]
    file = tmp_path / "places.csv"
    file.write_text(unicodedata.normalize("NFD", "\n".join(map(",".join, (header, cells)))), "utf-8")
    (_, read_header), (_, read_cells) = rows(file, "utf-8")
    assert (read_header, read_cells) == (header, cells)
    mapping.reader(read_header)
