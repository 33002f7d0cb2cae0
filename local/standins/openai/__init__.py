"""A server that answers like OpenAI's, treats each request as a script says, or at a set pace."""
