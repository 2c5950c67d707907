"""What each role does, as functions: the command line, the demo and the worker call the same ones."""
