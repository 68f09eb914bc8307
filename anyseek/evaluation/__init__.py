"""How well a library answers judged queries: queries of which a person has said which answers are right."""
