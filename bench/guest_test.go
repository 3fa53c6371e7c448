package bench

import "plasm/test/guest"

// filling has the most memory that it is given by default and fills it all, over
// and over.
func filling() []byte {
	const pages = 4096
	b := guest.Builder{
		Memory:  &guest.Limits{Min: pages},
		Exports: []guest.Export{{Name: "_start"}},
		Funcs: []guest.Func{{Body: guest.Loop(guest.MemoryFill(guest.Int(0), guest.Int(1), guest.Int(pages<<16)),
			guest.Br(0))}},
	}
	return b.Bytes()
}

// uncompilable is within the limits, and compiling it takes many seconds: each of its
// functions has nearly as many blocks as may be.
func uncompilable() []byte {
	ifs := guest.Code{}
	for range 9000 {
		ifs = append(ifs, guest.If(guest.Int(1))...)
	}
	b := guest.Builder{Exports: []guest.Export{{Name: "_start"}}}
	for range 20 {
		b.Funcs = append(b.Funcs, guest.Func{Body: ifs})
	}
	return b.Bytes()
}
