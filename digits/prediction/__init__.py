"""`digits predict`, and what applications call: which digit a picture shows."""
