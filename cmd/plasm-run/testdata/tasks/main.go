// Command tasks does what its first argument says, for items of a batch that differ: say
// TEXT, exit CODE or hang.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	switch os.Args[1] {
	case "say":
		fmt.Println(os.Args[2])
	case "exit":
		code, err := strconv.Atoi(os.Args[2])
		if err != nil {
			panic(err)
		}
		os.Exit(code)
	case "hang":
		for {
		}
	}
}
