package job

// Fact is what an Error rests on where something can be done about it: the commands, which know
// their flags, have the advice for it by Code and Fact, and set Hint. Error.Detail is what
// the advice needs to know beside it.
type Fact string

// The facts. Those about a node's folders are for plasmd, the others for all commands.
const (
	FactNoHome   Fact = "no_home"    // no default place: the environment names none
	FactKeyFile  Fact = "key_file"   // a key's file cannot be read, or not be made
	FactNoPeerID Fact = "no_peer_id" // a text that is neither a peer ID nor a file
	FactNoFolder Fact = "no_folder"  // no default place for a node's data
	// a node's folder cannot be written; Detail: data, runtime, or "" for another file
	FactFolder Fact = "folder"
	FactShared Fact = "shared" // others may write to a node's folder; Detail: data or runtime
	FactInUse  Fact = "in_use" // another node has the folder; Detail: data or runtime
	// root's node would use what another user can change; Detail: data, runtime, or "" for another
	// file
	FactForeign      Fact = "foreign"
	FactDeadline     Fact = "deadline"      // the time of the whole command is over
	FactUnread       Fact = "unread"        // the same, while output was not read
	FactShort        Fact = "short"         // too few nodes to agree
	FactTwice        Fact = "twice"         // a path from two folders that travel
	FactCannotTravel Fact = "cannot_travel" // a file or folder that no tree can hold
	FactNotEmpty     Fact = "not_empty"     // a folder that would be replaced
	FactNotPublic    Fact = "not_public"    // a relay that others cannot be expected to reach
	FactGuard        Fact = "guard"         // a required guard is not active
	FactNodeGuard    Fact = "node_guard"    // the same of a node that would start
	FactLongPath     Fact = "long_path"     // a runtime folder's path is too long for a socket
	FactDiskFull     Fact = "disk_full"     // the disk under a node's data has no room
	FactListen       Fact = "listen"        // an address for metrics that cannot be listened at
	FactNoJob        Fact = "no_job"        // a node has no such job
	FactNoJobName    Fact = "no_job_id"     // a text that names no job; Detail: the fewest characters of an ID
)
