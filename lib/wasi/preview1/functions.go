package preview1

import (
	"strings"

	"plasm/lib/wasi"
)

// functions are all functions of preview 1, sorted by name.
var functions = []*Function{
	define("args_get", "ii", argsGet),
	define("args_sizes_get", "ii", argsSizesGet),
	define("clock_res_get", "ii", clockResGet),
	define("clock_time_get", "ili", clockTimeGet),
	define("environ_get", "ii", environGet),
	define("environ_sizes_get", "ii", environSizesGet),
	define("fd_advise", "illi", fdAdvise),
	define("fd_allocate", "ill", fdAllocate),
	define("fd_close", "i", fdClose),
	define("fd_datasync", "i", fdDatasync),
	define("fd_fdstat_get", "ii", fdFdstatGet),
	define("fd_fdstat_set_flags", "ii", fdFdstatSetFlags),
	define("fd_fdstat_set_rights", "ill", fdFdstatSetRights),
	define("fd_filestat_get", "ii", fdFilestatGet),
	define("fd_filestat_set_size", "il", fdFilestatSetSize),
	define("fd_filestat_set_times", "illi", fdFilestatSetTimes),
	define("fd_pread", "iiili", fdPread),
	define("fd_prestat_dir_name", "iii", fdPrestatDirName),
	define("fd_prestat_get", "ii", fdPrestatGet),
	define("fd_pwrite", "iiili", fdPwrite),
	define("fd_read", "iiii", fdRead),
	define("fd_readdir", "iiili", fdReaddir),
	define("fd_renumber", "ii", fdRenumber),
	define("fd_seek", "ilii", fdSeek),
	define("fd_sync", "i", fdSync),
	define("fd_tell", "ii", fdTell),
	define("fd_write", "iiii", fdWrite),
	define("path_create_directory", "iii", pathCreateDirectory),
	define("path_filestat_get", "iiiii", pathFilestatGet),
	define("path_filestat_set_times", "iiiilli", pathFilestatSetTimes),
	define("path_link", "iiiiiii", pathLink),
	define("path_open", "iiiiillii", pathOpen),
	define("path_readlink", "iiiiii", pathReadlink),
	define("path_remove_directory", "iii", pathRemoveDirectory),
	define("path_rename", "iiiiii", pathRename),
	define("path_symlink", "iiiii", pathSymlink),
	define("path_unlink_file", "iii", pathUnlinkFile),
	define("poll_oneoff", "iiii", pollOneoff),
	define("proc_exit", "i", procExit),
	define("proc_raise", "i", procRaise),
	define("random_get", "ii", randomGet),
	define("sched_yield", "", schedYield),
	define("sock_accept", "iii", sockAccept),
	define("sock_recv", "iiiiii", sockRecv),
	define("sock_send", "iiiii", sockSend),
	define("sock_shutdown", "ii", sockShutdown),
}

var byName = func() map[string]*Function {
	m := make(map[string]*Function, len(functions))
	for _, f := range functions {
		m[f.Name] = f
	}
	return m
}()

// withoutMemory are the functions that take no pointer.
const withoutMemory = " fd_advise fd_allocate fd_close fd_datasync fd_fdstat_set_flags fd_fdstat_set_rights" +
	" fd_filestat_set_size fd_filestat_set_times fd_renumber fd_sync proc_exit proc_raise sched_yield sock_shutdown "

// define returns a function whose parameters are i32 and i64 by the letters i and l.
func define(name, params string, do func(*Guest, memory, []uint64) wasi.Errno) *Function {
	f := &Function{Name: name, Results: []ValType{I32}, do: do}
	for _, p := range params {
		t := I32
		if p == 'l' {
			t = I64
		}
		f.Params, f.narrow = append(f.Params, t), append(f.narrow, t == I32)
	}
	if name == "proc_exit" {
		f.Results = nil
	}
	f.memory = !strings.Contains(withoutMemory, " "+name+" ")
	return f
}
