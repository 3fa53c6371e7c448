package job

import "io"

// The closed sets.
var (
	Statuses    = texts(statuses())
	Traps       = traps()
	Codes       = texts(codes())
	RejectCodes = texts(rejectCodes())
)

// ParseStream is Parse of a stream of at most limit bytes.
func ParseStream(r io.Reader, limit int64) (Value, error) {
	return newStream(r, "document", limit).document()
}

// WriteBase64 writes a member as the writers of documents do, at most limit bytes.
func WriteBase64(w io.Writer, r io.Reader, limit int64) error {
	d := documentWriter{w: w, what: "document", limit: limit}
	d.base64("stdout", r)
	return d.err
}
