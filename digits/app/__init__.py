"""`digits app`: a page in the browser that reads what one draws."""
