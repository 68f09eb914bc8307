"""How several vectors become one: the parts of a question, the sides of a film, a picture and its caption."""
