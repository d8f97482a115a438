"""Pictures of digits as people have them, composed for networks to learn from."""
