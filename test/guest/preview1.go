package guest

import (
	"maps"
	"slices"
)

// wasiModule is what WASI preview 1 calls itself.
const wasiModule = "wasi_snapshot_preview1"

// preview1 are the parameters of each function, an i or an I for an i32 or i64; the
// result is an errno unless the function is proc_exit. Source: the witx of
// wasi_snapshot_preview1.
var preview1 = map[string]string{
	"args_get":                "ii",
	"args_sizes_get":          "ii",
	"clock_res_get":           "ii",
	"clock_time_get":          "iIi",
	"environ_get":             "ii",
	"environ_sizes_get":       "ii",
	"fd_advise":               "iIIi",
	"fd_allocate":             "iII",
	"fd_close":                "i",
	"fd_datasync":             "i",
	"fd_fdstat_get":           "ii",
	"fd_fdstat_set_flags":     "ii",
	"fd_fdstat_set_rights":    "iII",
	"fd_filestat_get":         "ii",
	"fd_filestat_set_size":    "iI",
	"fd_filestat_set_times":   "iIIi",
	"fd_pread":                "iiiIi",
	"fd_prestat_dir_name":     "iii",
	"fd_prestat_get":          "ii",
	"fd_pwrite":               "iiiIi",
	"fd_read":                 "iiii",
	"fd_readdir":              "iiiIi",
	"fd_renumber":             "ii",
	"fd_seek":                 "iIii",
	"fd_sync":                 "i",
	"fd_tell":                 "ii",
	"fd_write":                "iiii",
	"path_create_directory":   "iii",
	"path_filestat_get":       "iiiii",
	"path_filestat_set_times": "iiiiIIi",
	"path_link":               "iiiiiii",
	"path_open":               "iiiiiIIii",
	"path_readlink":           "iiiiii",
	"path_remove_directory":   "iii",
	"path_rename":             "iiiiii",
	"path_symlink":            "iiiii",
	"path_unlink_file":        "iii",
	"poll_oneoff":             "iiii",
	"proc_exit":               "i",
	"proc_raise":              "i",
	"random_get":              "ii",
	"sched_yield":             "",
	"sock_accept":             "iii",
	"sock_recv":               "iiiiii",
	"sock_send":               "iiiii",
	"sock_shutdown":           "ii",
}

// wasiType returns the type of a WASI function.
func wasiType(name string) FuncType {
	var t FuncType
	for _, param := range preview1[name] {
		if param == 'I' {
			t.Params = append(t.Params, I64)
		} else {
			t.Params = append(t.Params, I32)
		}
	}
	if name != "proc_exit" {
		t.Results = []ValType{I32}
	}
	return t
}

// Preview1 lists the functions of preview 1, sorted.
func Preview1() []string { return slices.Sorted(maps.Keys(preview1)) }
