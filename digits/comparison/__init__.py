"""`digits compare`: whether one side is better than the other, or chance explains the difference."""
