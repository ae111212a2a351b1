"""Making scenarios: import those of the public library, write new ones, and prove that they hold."""
