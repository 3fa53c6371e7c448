package wasi

import "strconv"

// Errno is an error as preview 1 numbers them (witx: errno); 0 is none.
type Errno uint16

// The errors that are used here. Their meaning is POSIX's.
const (
	Success      Errno = 0
	EACCES       Errno = 2
	EAGAIN       Errno = 6
	EBADF        Errno = 8
	EBUSY        Errno = 10
	EDQUOT       Errno = 19
	EEXIST       Errno = 20
	EFAULT       Errno = 21
	EFBIG        Errno = 22
	EILSEQ       Errno = 25
	EINTR        Errno = 27
	EINVAL       Errno = 28
	EIO          Errno = 29
	EISDIR       Errno = 31
	ELOOP        Errno = 32
	EMFILE       Errno = 33
	EMLINK       Errno = 34
	ENAMETOOLONG Errno = 37
	ENFILE       Errno = 41
	ENOENT       Errno = 44
	ENOMEM       Errno = 48
	ENOSPC       Errno = 51
	ENOSYS       Errno = 52
	ENOTDIR      Errno = 54
	ENOTEMPTY    Errno = 55
	ENOTSOCK     Errno = 57
	ENOTSUP      Errno = 58
	ENXIO        Errno = 60
	EOVERFLOW    Errno = 61
	EPERM        Errno = 63
	EPIPE        Errno = 64
	EROFS        Errno = 69
	ESPIPE       Errno = 70
	ESTALE       Errno = 72
	ETXTBSY      Errno = 74
	EXDEV        Errno = 75
	ENOTCAPABLE  Errno = 76
)

// errnoNames are the names of the errors above.
var errnoNames = map[Errno]string{
	Success: "success", EACCES: "EACCES", EAGAIN: "EAGAIN", EBADF: "EBADF", EBUSY: "EBUSY", EDQUOT: "EDQUOT",
	EEXIST: "EEXIST", EFAULT: "EFAULT", EFBIG: "EFBIG", EILSEQ: "EILSEQ", EINTR: "EINTR", EINVAL: "EINVAL",
	EIO: "EIO", EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", EMLINK: "EMLINK", ENAMETOOLONG: "ENAMETOOLONG",
	ENFILE: "ENFILE", ENOENT: "ENOENT", ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOSYS: "ENOSYS", ENOTDIR: "ENOTDIR",
	ENOTEMPTY: "ENOTEMPTY", ENOTSOCK: "ENOTSOCK", ENOTSUP: "ENOTSUP", ENXIO: "ENXIO", EOVERFLOW: "EOVERFLOW",
	EPERM: "EPERM", EPIPE: "EPIPE", EROFS: "EROFS", ESPIPE: "ESPIPE", ESTALE: "ESTALE", ETXTBSY: "ETXTBSY",
	EXDEV: "EXDEV", ENOTCAPABLE: "ENOTCAPABLE",
}

// String returns the error's POSIX name.
func (e Errno) String() string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return "errno " + strconv.Itoa(int(e))
}
