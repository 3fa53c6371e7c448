//go:build !wasip1

// Command folders is for WASI alone: elsewhere it is empty, for the linter's sake.
package main

func main() {}
