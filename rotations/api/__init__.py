"""The rota over REST."""
