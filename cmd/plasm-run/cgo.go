//go:build cgo && linux

package main

// withC is whether this program has the C library in it.
const withC = true
