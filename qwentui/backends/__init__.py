"""Models behind one protocol: Ollama, OpenAI-compatible servers, and llama.cpp in a child process."""
