"""Tools for the people who write policies: nothing here judges a change."""
