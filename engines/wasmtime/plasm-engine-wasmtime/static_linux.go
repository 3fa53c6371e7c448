package main

// Linked statically, as the other programs are: a worker opens nothing of the
// system's before it is locked in, and a service that lets this file be started need
// not let the system's libraries be.

// #cgo LDFLAGS: -static -Wl,--wrap=getpwuid_r -Wl,--wrap=getaddrinfo -Wl,--wrap=dlopen
import "C"
