"""`deskclerk evals run`: many samples, with their log, their progress, and a way to go on."""
