"""What is measured beyond the test images, by hand: `python -m benchmarks.NAME`."""
