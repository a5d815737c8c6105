import numpy as np
import torch

from dermaug.data.image_bank import Feed, ImageBank, channel_statistics


def test_batch_is_the_rows_asked_for_in_unit_range() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    bank = ImageBank.of(pixels, np.arange(5), torch.device("cpu"))
    images, labels = bank.batch(np.array([3, 0, 3]))
    expected = torch.from_numpy(pixels[[3, 0, 3]]).permute(0, 3, 1, 2) / 255.0
    torch.testing.assert_close(images, expected)
    assert labels.tolist() == [3, 0, 3]
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_channel_statistics_agree_with_numpy() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    means, deviations = channel_statistics(pixels)
    np.testing.assert_allclose(means, (pixels / 255.0).mean((0, 1, 2)))
    np.testing.assert_allclose(deviations, (pixels / 255.0).std((0, 1, 2)))


def test_a_feed_gives_the_batches_of_its_bank_at_one_address() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    bank = ImageBank.of(pixels, np.arange(5), torch.device("cpu"))
    feed = Feed(bank, 3)
    address = feed.rows.data_ptr()
    for rows in (np.array([3, 0, 3]), np.array([1, 4, 2])):
        feed.show(rows)
        for seen, expected in zip(feed.batch(), bank.batch(rows), strict=True):
            torch.testing.assert_close(seen, expected, rtol=0.0, atol=0.0)
        assert feed.rows.data_ptr() == address
