package seccomp

// numbers are the system calls that profiles name: on amd64 and on arm64, from
// the kernel's arch/x86/entry/syscalls/syscall_64.tbl and
// include/uapi/asm-generic/unistd.h.
var numbers = map[string][2]uint32{
	"read":              {0, 63},
	"write":             {1, 64},
	"close":             {3, 57},
	"fstat":             {5, 80},
	"lseek":             {8, 62},
	"mmap":              {9, 222},
	"mprotect":          {10, 226},
	"munmap":            {11, 215},
	"rt_sigaction":      {13, 134},
	"rt_sigprocmask":    {14, 135},
	"rt_sigreturn":      {15, 139},
	"pread64":           {17, 67},
	"pwrite64":          {18, 68},
	"sched_yield":       {24, 124},
	"madvise":           {28, 233},
	"nanosleep":         {35, 101},
	"timer_settime":     {223, 110},
	"ioctl":             {16, 29},
	"brk":               {12, 214},
	"mremap":            {25, 216},
	"sched_getaffinity": {204, 123},
	"set_robust_list":   {273, 99},
	"rseq":              {334, 293},
	"statx":             {332, 291},
	"membarrier":        {324, 283},
	"getpid":            {39, 172},
	"clone":             {56, 220},
	"exit":              {60, 93},
	"fcntl":             {72, 25},
	"fstatfs":           {138, 44},
	"fsync":             {74, 82},
	"fdatasync":         {75, 83},
	"ftruncate":         {77, 46},
	"getpgid":           {121, 155},
	"sigaltstack":       {131, 132},
	"prctl":             {157, 167},
	"gettid":            {186, 178},
	"futex":             {202, 98},
	"getdents64":        {217, 61},
	"restart_syscall":   {219, 128},
	"clock_nanosleep":   {230, 115},
	"clock_gettime":     {228, 113},
	"exit_group":        {231, 94},
	"epoll_ctl":         {233, 21},
	"tgkill":            {234, 131},
	"openat":            {257, 56},
	"mkdirat":           {258, 34},
	"newfstatat":        {262, 79},
	"unlinkat":          {263, 35},
	"renameat":          {264, 38},
	"linkat":            {265, 37},
	"symlinkat":         {266, 36},
	"readlinkat":        {267, 78},
	"ppoll":             {271, 73},
	"utimensat":         {280, 88},
	"epoll_pwait":       {281, 22},
	"eventfd2":          {290, 19},
	"epoll_create1":     {291, 20},
	"seccomp":           {317, 277},
	"getrandom":         {318, 278},
	"clone3":            {435, 435},
}

func number(call string, arch Arch) (uint32, bool) {
	n, ok := numbers[call]
	if arch == ARM64 {
		return n[1], ok
	}
	return n[0], ok
}
