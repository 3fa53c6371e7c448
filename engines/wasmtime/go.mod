module plasm/engines/wasmtime

go 1.26.0

toolchain go1.26.10

require (
	github.com/bytecodealliance/wasmtime-go/v44 v44.0.0
	golang.org/x/sys v0.50.0
	plasm v0.0.0
)

require (
	github.com/landlock-lsm/go-landlock v0.11.0 // indirect
	github.com/tetratelabs/wazero v1.12.0 // indirect
	golang.org/x/crypto v0.59.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.77 // indirect
)

replace plasm => ../..
