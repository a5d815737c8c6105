"""Parquet files with a column of encoded images, as Hugging Face writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dermaug.data.containers.content import limited
from dermaug.errors import DermaugError
from dermaug.whole_numbers import whole_number

MOST_BYTES = 2_000_000_000


class ParquetContainer:
    """A parquet file; the names of its members are the numbers of its rows.

    Raises:
        DermaugError: It is damaged.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        try:
            self._file = pq.ParquetFile(path)
        except Exception as error:  # of arrow, which knows of many
            raise DermaugError(f"{path}: not a readable parquet file ({error})") from None
        self.image = image_column(self._file.schema_arrow)
        self._file_metadata = self._file.metadata
        self._kept: tuple[int, Any] = (-1, None)

    @property
    def names(self) -> Sequence[str]:
        """Numbers of the rows."""
        return [str(row) for row in range(self._file_metadata.num_rows)] if self.image else []

    def size(self, name: str) -> int:
        """Bytes of an image."""
        return len(self.read(name, MOST_BYTES))

    def read(self, name: str, limit: int) -> bytes:
        """Encoded image of a row.

        Raises:
            OSError: There is none, or it is larger than `limit` bytes.
        """
        place = whole_number(name)
        row = -1 if place is None else place
        for group in range(self._file_metadata.num_row_groups):
            number = self._file_metadata.row_group(group).num_rows
            if 0 <= row < number:
                value = self._images(group)[row].as_py()
                content = value.get("bytes") if isinstance(value, dict) else value
                if content is None:
                    raise FileNotFoundError(2, "the row holds no image", name)
                return limited(content, limit)
            row -= number
        raise FileNotFoundError(2, "no such row in the parquet file", name)

    def _images(self, group: int) -> Any:  # noqa: ANN401
        """The images of a row group; the last one is kept, since rows are read in order."""
        kept, images = self._kept
        if kept != group:
            images = self._file.read_row_group(group, columns=[self.image])[self.image]
            self._kept = group, images
        return images


def is_damaged(path: Path) -> bool:
    """Whether a file is no parquet file that can be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_schema(path)
    except (OSError, pa.ArrowException):
        return True
    return False


def image_column(schema: Any) -> str:  # noqa: ANN401
    """The column of an arrow schema with encoded images; "" without one."""
    import pyarrow as pa

    for field in schema:
        kind = field.type
        if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            return str(field.name)
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            return str(field.name)
    return ""
