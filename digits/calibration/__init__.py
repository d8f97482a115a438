"""What makes a trained network's confidence honest."""
