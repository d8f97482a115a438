"""`digits app`: a page in the browser that reads the digit you draw, or tells what a picture shows."""
