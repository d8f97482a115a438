"""`digits report`: what a change did, as Markdown for a pull request."""
