"""The command line: each command parses its options, calls one function of the library and prints what it returns."""
