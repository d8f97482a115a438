"""From any picture to the form that the network reads."""
