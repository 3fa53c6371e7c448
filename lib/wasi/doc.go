// Package wasi is what a program may ask of its host, once for every engine: time, chance,
// streams, files. Package preview1 puts WASI preview 1 in front of it.
//
// Nothing here knows an engine, linear memory or how numbers are passed. What a program
// learns depends on its Config, on what it has asked before, and on the content of its
// files; with Config.Real and where input is not known beforehand, on the machine too.
//
// A program has one goroutine: nothing here is for two at once.
package wasi
