"""The arithmetic of bills: daily panels, what is usual, what is not, and what a change consists of."""
