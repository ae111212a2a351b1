"""An agent without a language model: general rules over a snapshot; each can be left out, to see what it is worth."""
