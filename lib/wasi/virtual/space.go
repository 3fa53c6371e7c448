package virtual

import "math/bits"

// space hands out the blocks of the scratch file. A bit of words is set for each block that
// is in use. It grows with use, up to limit.
type space struct {
	words []uint64
	limit int64 // blocks, a multiple of wordBlocks
	empty int   // no word before it is all free
	some  int   // no word before it has a free bit
}

const wordBlocks = 64

// take returns a row of free blocks, at most want and at least one, and marks it. It begins
// at goal where that is free, so that files grow in one piece; else in a stretch of
// wordBlocks that nobody uses, so that files which are written by turns each grow in one
// piece; else anywhere. ok is false when everything is in use.
func (s *space) take(goal, want int64) (from, count int64, ok bool) {
	from, ok = goal, goal > 0 && s.free(goal)
	if !ok {
		from, ok = s.find()
	}
	if !ok {
		return 0, 0, false
	}
	for count < want && s.free(from+count) {
		at := from + count
		word, shift := at/wordBlocks, at%wordBlocks
		s.reach(word)
		// How many bits from shift on are free, and wanted.
		n := min(int64(bits.TrailingZeros64(s.words[word]>>shift)), wordBlocks-shift, want-count)
		s.words[word] |= (^uint64(0) >> (wordBlocks - n)) << shift
		count += n
	}
	return from, count, true
}

// reach makes word one of words.
func (s *space) reach(word int64) {
	for int64(len(s.words)) <= word {
		s.words = append(s.words, 0)
	}
}

// free reports whether there is such a block, and it is not in use.
func (s *space) free(block int64) bool {
	if block >= s.limit {
		return false
	}
	word := block / wordBlocks
	return word >= int64(len(s.words)) || s.words[word]>>(block%wordBlocks)&1 == 0
}

// find returns a free block.
func (s *space) find() (int64, bool) {
	for ; s.empty < len(s.words); s.empty++ {
		if s.words[s.empty] == 0 {
			return int64(s.empty) * wordBlocks, true
		}
	}
	if at := int64(len(s.words)) * wordBlocks; at < s.limit {
		return at, true
	}
	for ; s.some < len(s.words); s.some++ {
		if n := bits.TrailingZeros64(^s.words[s.some]); n < wordBlocks {
			return int64(s.some)*wordBlocks + int64(n), true
		}
	}
	return 0, false
}

// give takes blocks back that are in use.
func (s *space) give(from, count int64) {
	for at, end := from, from+count; at < end; {
		word, shift := at/wordBlocks, at%wordBlocks
		n := min(wordBlocks-shift, end-at)
		s.words[word] &^= (^uint64(0) >> (wordBlocks - n)) << shift
		s.some = min(s.some, int(word))
		if s.words[word] == 0 {
			s.empty = min(s.empty, int(word))
		}
		at += n
	}
}
