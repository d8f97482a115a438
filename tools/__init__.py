"""What the maintainers run: no stage and no module of `digits` needs it."""
