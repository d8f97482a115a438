"""From a file, bytes or an array to the colours of a picture."""
