//go:build linux

package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// done is what an attack says that nothing stopped.
const done = "done"

// attempt tries an attack and says what came of it: done, the name of an error,
// or more. An attack that is deadly says nothing.
func attempt(name, argument string) string {
	if try, ok := attacks()[name]; ok {
		return try(argument)
	}
	return fmt.Sprintf("no attack is named %q", name)
}

func attacks() map[string]func(string) string {
	all := fileAttacks()
	maps.Copy(all, memoryAttacks())
	maps.Copy(all, processAttacks())
	maps.Copy(all, descriptorAttacks())
	all["call"] = call
	all["descriptors"] = descriptors
	all["environment"] = func(string) string { return strings.Join(os.Environ(), "\n") }
	all["nothing"] = func(string) string { return strconv.Itoa(os.Getpid()) }
	return all
}

// outcome names an error.
func outcome(err error) string {
	if err == nil {
		return done
	}
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

// raw makes a system call.
func raw(number uintptr, args ...uintptr) (uintptr, string) {
	var a [6]uintptr
	copy(a[:], args)
	r, _, errno := unix.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	if errno != 0 {
		return r, unix.ErrnoName(errno)
	}
	return r, done
}

// call makes the system call of a number, with arguments that are numbers too.
func call(argument string) string {
	var all []uintptr
	for word := range strings.FieldsSeq(argument) {
		n, err := strconv.ParseInt(word, 0, 64)
		if err != nil {
			return err.Error()
		}
		all = append(all, uintptr(n))
	}
	_, what := raw(all[0], all[1:]...)
	return what
}

// descriptors writes to each descriptor that the worker was not given, and lists
// those that took it.
func descriptors(string) string {
	var took []string
	for fd := 5; fd < 1024; fd++ {
		if _, err := unix.Write(fd, []byte("x")); err == nil {
			took = append(took, strconv.Itoa(fd))
		}
	}
	return "took: " + strings.Join(took, " ")
}
