// Command sotto is a private voice call from a terminal: the interface, the
// headless client and the relay.
package main

import (
	"os"

	"sotto/ui/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
