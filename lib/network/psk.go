package network

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"plasm/lib/job"
)

// NetworkKeySize is the length of a private network's key in bytes.
const NetworkKeySize = 32

// maxNetworkKeyFile is more bytes than any spelling of a key takes.
const maxNetworkKeyFile = 4096

// networkKeyHeader is the first line of a key file.
const networkKeyHeader = "/key/swarm/psk/1.0.0/"

// ReadNetworkKey reads the key of a private network in libp2p's swarm.key
// format (core/pnet/codec.go): a line "/key/swarm/psk/1.0.0/", a line
// "/base16/", "/base64/" or "/bin/", and the 32 bytes so encoded. An error is a
// *job.Error with CodeBadKey, and never has any of data in it.
func ReadNetworkKey(data []byte) ([]byte, error) {
	if len(data) > maxNetworkKeyFile {
		return nil, networkKeyError(fmt.Errorf("%d bytes, more than a key file has", len(data)))
	}
	header, rest, _ := bytes.Cut(data, []byte("\n"))
	if string(bytes.TrimRight(header, "\r")) != networkKeyHeader {
		return nil, networkKeyError(errors.New("the first line is not " + networkKeyHeader))
	}
	encoding, body, _ := bytes.Cut(rest, []byte("\n"))
	key, err := decodeNetworkKey(string(bytes.TrimRight(encoding, "\r")), body)
	if err != nil {
		return nil, networkKeyError(err)
	}
	if err := checkNetworkKey(key); err != nil {
		return nil, err
	}
	return key, nil
}

// decodeNetworkKey decodes what stands below the two header lines. Errors of
// the decoders are replaced by ours: theirs quote the bytes that they refuse.
func decodeNetworkKey(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "/base16/":
		key, err := hex.DecodeString(string(bytes.TrimSpace(body)))
		if err != nil {
			return nil, errors.New("what follows /base16/ is not hex")
		}
		return key, nil
	case "/base64/":
		key, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(body)))
		if err != nil {
			return nil, errors.New("what follows /base64/ is not base64")
		}
		return key, nil
	case "/bin/":
		return bytes.Clone(body), nil
	default:
		return nil, errors.New("the second line is not /base16/, /base64/ or /bin/")
	}
}

// checkNetworkKey checks the length, which libp2p does not.
func checkNetworkKey(key []byte) error {
	if len(key) != NetworkKeySize {
		return networkKeyError(fmt.Errorf("%d bytes, must be %d", len(key), NetworkKeySize))
	}
	return nil
}

func networkKeyError(err error) error {
	return &job.Error{
		Code: job.CodeBadKey, Message: "not a network key: " + err.Error(), Err: err,
		Hint: `make one with: (echo /key/swarm/psk/1.0.0/; echo /base16/; openssl rand -hex 32) > swarm.key`,
	}
}
