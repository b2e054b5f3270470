"""The gallery: every component in every state and full pages of the cast's world, served with DEBUG on only."""
