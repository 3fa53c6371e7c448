package main

import (
	"fmt"
	"io"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// tellNodes says of each node why it was not the one, in a line.
func tellNodes(stderr io.Writer, err error) {
	for _, n := range cli.AsError(err).Nodes {
		text := n.Rejection.Message
		if n.Rejection.Code != job.RejectInternal {
			text = string(n.Rejection.Code) + ": " + text
		}
		if n.Rejection.RetryAfterMS > 0 {
			text = fmt.Sprintf("%s (again in %d ms)", text, n.Rejection.RetryAfterMS)
		}
		say(stderr, n.PeerID, text)
	}
}

// say writes a line about a node.
func say(stderr io.Writer, peerID, text string) {
	if peerID != "" {
		text = peerID + ": " + text
	}
	_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, cli.OneLine(text))
}
