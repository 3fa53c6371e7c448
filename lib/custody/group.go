package custody

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Where the system lists its users and groups.
const (
	usersFile  = "/etc/passwd"
	groupsFile = "/etc/group"
)

// private reports whether a group is a user's own, in which nobody else is, as many
// systems make one for each user: what such a group may write to only its user may.
// A user or group that the system's files do not list is not known to be so.
func private(uid, gid int) bool {
	users, err := os.ReadFile(usersFile)
	if err != nil || gid == 0 {
		return false
	}
	groups, err := os.ReadFile(groupsFile)
	return err == nil && privateIn(users, groups, uid, gid)
}

// privateIn is private, with what the two files hold.
func privateIn(users, groups []byte, uid, gid int) bool {
	owner := ""
	for _, user := range lines(users, 4) { // name:password:uid:gid
		if user[3] != strconv.Itoa(gid) {
			continue
		}
		if user[2] != strconv.Itoa(uid) || owner != "" {
			return false
		}
		owner = user[0]
	}
	found := false
	for _, group := range lines(groups, 4) { // name:password:gid:members
		if group[2] != strconv.Itoa(gid) {
			continue
		}
		found = true
		for member := range strings.FieldsFuncSeq(group[3], func(r rune) bool { return r == ',' || r == ' ' }) {
			if member != owner {
				return false
			}
		}
	}
	return owner != "" && found
}

// lines returns the lines of a file that have n fields or more.
func lines(data []byte, n int) (all [][]string) {
	for scan := bufio.NewScanner(bytes.NewReader(data)); scan.Scan(); {
		if fields := strings.Split(scan.Text(), ":"); len(fields) >= n {
			all = append(all, fields)
		}
	}
	return all
}
