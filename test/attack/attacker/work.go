//go:build linux && !cgo

package main

import "plasm/lib/sandbox/worker"

func work(e engine) int { return worker.Process("", e) }
