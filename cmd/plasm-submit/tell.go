package main

import (
	"fmt"
	"io"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// tellNodes says of each node why it was not the one, in a line.
func (o *options) tellNodes(stderr io.Writer, err error) {
	for _, n := range cli.AsError(err).Nodes {
		text := string(n.Rejection.Code) + ": " + n.Rejection.Message
		if n.Rejection.RetryAfterMS > 0 {
			text = fmt.Sprintf("%s (again in %s)", text, job.Span(n.Rejection.RetryAfterMS))
		}
		o.say(stderr, n.PeerID, text)
	}
}

// short is what a node is called where there is little room.
func (o *options) short(peerID string) string { return o.names.Short(peerID) }

// say writes a line about a node, by the name that the user has given it.
func (o *options) say(stderr io.Writer, peerID, text string) {
	if peerID != "" {
		peerID = o.names.Shown(peerID)
	}
	say(stderr, peerID, text)
}

// say writes a line about something.
func say(stderr io.Writer, about, text string) {
	if about != "" {
		text = about + ": " + text
	}
	_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, cli.OneLine(text))
}
