//go:build !linux || !amd64

package repeat_test

import "testing"

// arm64 is nil where there is no emulator to run on beside this processor.
func arm64(*testing.T) []string { return nil }

// wasmtimeOnArm64 is nil there, too.
func wasmtimeOnArm64(*testing.T) []string { return nil }

func emulable(run) bool { return false }
