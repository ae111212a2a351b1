"""The judge's conversation with a language model: who is asked, what is paid, and what is remembered."""
