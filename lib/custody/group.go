package custody

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
)

// noGroup is the group of a user whom the system does not list.
const noGroup = 65534

// Where the system lists its users and groups.
const (
	usersFile  = "/etc/passwd"
	groupsFile = "/etc/group"
)

// account is what the system's file says of a user: the name, "" for one who is not
// listed, the user's own group, and all groups, as far as the file of groups has them.
func account(uid int) (name string, gid int, groups []int) {
	users, err := os.ReadFile(usersFile)
	if err != nil {
		return "", noGroup, nil
	}
	listed, err := os.ReadFile(groupsFile)
	if err != nil {
		listed = nil
	}
	return accountIn(users, listed, uid)
}

// accountIn is account, with what the two files hold. Root's group is nobody else's.
func accountIn(users, listed []byte, uid int) (name string, gid int, groups []int) {
	gid = noGroup
	for _, user := range lines(users) { // name:password:uid:gid
		if user[2] != strconv.Itoa(uid) {
			continue
		}
		name = user[0]
		if n, err := strconv.Atoi(user[3]); err == nil && n > 0 {
			gid = n
		}
		break
	}
	if name == "" {
		return "", noGroup, nil
	}
	for _, group := range lines(listed) { // name:password:gid:members
		if n, err := strconv.Atoi(group[2]); err == nil && n > 0 && slices.Contains(members(group[3]), name) {
			groups = append(groups, n)
		}
	}
	return name, gid, groups
}

// members splits the list of a group's members.
func members(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

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
	for _, user := range lines(users) { // name:password:uid:gid
		if user[3] != strconv.Itoa(gid) {
			continue
		}
		if user[2] != strconv.Itoa(uid) || owner != "" {
			return false
		}
		owner = user[0]
	}
	found := false
	for _, group := range lines(groups) { // name:password:gid:members
		if group[2] != strconv.Itoa(gid) {
			continue
		}
		found = true
		for _, member := range members(group[3]) {
			if member != owner {
				return false
			}
		}
	}
	return owner != "" && found
}

// lines returns the lines of such a file that have all four fields that are looked at.
func lines(data []byte) (all [][]string) {
	for scan := bufio.NewScanner(bytes.NewReader(data)); scan.Scan(); {
		if fields := strings.Split(scan.Text(), ":"); len(fields) >= 4 {
			all = append(all, fields)
		}
	}
	return all
}
