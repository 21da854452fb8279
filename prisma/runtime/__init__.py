"""What the generated client rests on: translation of arguments, building of rows, the actions and the client itself."""
