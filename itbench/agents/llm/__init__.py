"""`llm:MODEL`: a tool-using loop over any endpoint that speaks the chat-completions protocol of OpenAI."""
