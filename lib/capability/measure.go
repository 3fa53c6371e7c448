package capability

import (
	"fmt"
	"runtime"

	"plasm/lib/job"
)

// Machine is what jobs can have of a machine.
type Machine struct {
	OS       string // a GOOS
	Arch     string // a GOARCH
	Cores    int64  // 1 to job.MaxCPUCores
	MemoryMB int64  // 1 to job.MaxNodeMemoryMB units of 2^20 bytes, for all jobs together
	Tasks    int64  // processes and threads that this process's control group may have; 0: any number
}

// Measure returns what jobs can have of this machine at this moment.
//
// Cores are those that this process may run on, no more than the quotas of its
// control group and of the groups around it, rounded down but at least 1.
// GOMAXPROCS is not asked: it rounds up, is never below 2 under a quota, ignores
// the groups around, and a variable can raise it.
//
// Memory is the physical memory, no more than the limits of the control groups,
// minus what the node itself and the system need: 1/16 of it, at least 128 MiB,
// but never more than half. Swap doesn't count.
//
// An error is a *job.Error with CodeIO.
func Measure() (Machine, error) {
	physical, err := physicalMemory()
	if err != nil {
		return Machine{}, measureError("memory of this machine", err)
	}
	group, err := readControlGroup("/")
	if err != nil {
		return Machine{}, measureError("limits of the control group", err)
	}
	return machine(int64(runtime.NumCPU()), physical, group), nil
}

func measureError(what string, err error) error {
	return &job.Error{Code: job.CodeIO, Message: "measuring the " + what + ": " + err.Error(), Err: err}
}

// machine combines what was read: bytes of physical memory, and limits.
func machine(cpus, physical int64, group controlGroup) Machine {
	memory := group.memory.lower(physical)
	reserve := min(max(memory/16, 128<<20), memory/2)
	return Machine{
		OS:       runtime.GOOS,
		Arch:     runtime.GOARCH,
		Cores:    min(max(group.cores.lower(cpus), 1), job.MaxCPUCores),
		MemoryMB: min(max((memory-reserve)>>20, 1), job.MaxNodeMemoryMB),
		Tasks:    int64(group.tasks),
	}
}

// MaxJobMemoryMB returns how much linear memory one job can have at most.
func (m Machine) MaxJobMemoryMB() int64 { return min(m.MemoryMB, job.MaxMemoryMB) }

// Lower returns m with no more than memoryMB for all jobs, 0 leaving it as
// measured. More than was measured is an error, a *job.Error with CodeUsage, and
// not cut: a node that silently has less than it was told to would be noticed
// only when jobs are refused.
func (m Machine) Lower(memoryMB int64) (Machine, error) {
	if memoryMB < 0 || memoryMB > m.MemoryMB {
		return Machine{}, &job.Error{
			Code: job.CodeUsage,
			Message: fmt.Sprintf("memory for jobs beyond the %d MB that this machine can give: %d", m.MemoryMB,
				memoryMB),
			Hint: "configuration can only lower what was measured; leave it out to give all of that",
		}
	}
	if memoryMB > 0 {
		m.MemoryMB = memoryMB
	}
	return m, nil
}
