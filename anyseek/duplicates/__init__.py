"""Files that are the same, nearly the same or alike, in three tiers; finds, and never deletes."""
