"""What a structural fix is worth: the same agent on the same scenarios and seeds, with and without it."""
