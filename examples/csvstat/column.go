package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// column sums up the values of one column as they come. As long as each of them
// is a finite number it is a column of numbers, compared as such; from the first
// that is not, a column of text, compared byte by byte.
type column struct {
	name            string
	values, missing int
	text            extremes[string]
	numeric         bool // whether number still describes all values
	number          extremes[float64]
	mean, squares   float64 // of the numbers: mean, and sum of squared distances from it
}

// extremes are the least and the greatest of the values seen.
type extremes[T float64 | string] struct {
	least, greatest T
}

// add counts a value in; first says that it is the first.
func (e *extremes[T]) add(value T, first bool) {
	if first || value < e.least {
		e.least = value
	}
	if first || value > e.greatest {
		e.greatest = value
	}
}

func newColumn(name string) *column {
	return &column{name: name, numeric: true}
}

// add counts one field of the column; white space around it does not count.
func (c *column) add(field string) {
	field = strings.TrimSpace(field)
	if field == "" {
		c.missing++
		return
	}
	c.values++
	first := c.values == 1
	c.text.add(field, first)
	if !c.numeric {
		return
	}
	number, err := strconv.ParseFloat(field, 64)
	if err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
		c.numeric = false
		return
	}
	c.number.add(number, first)
	// Welford's method: sums of squares would lose all digits where the values
	// are large and close to each other.
	distance := number - c.mean
	c.mean += distance / float64(c.values)
	c.squares += distance * (number - c.mean)
}

// String returns the column's line, its cells separated by tabs.
func (c *column) String() string {
	kind, least, greatest, mean, deviation := "text", c.text.least, c.text.greatest, "-", "-"
	switch {
	case c.values == 0:
		kind, least, greatest = "-", "-", "-"
	case c.numeric:
		kind, least, greatest = "number", format(c.number.least), format(c.number.greatest)
		mean = format(c.mean)
		if c.values > 1 {
			deviation = format(math.Sqrt(c.squares / float64(c.values-1)))
		}
	}
	return fmt.Sprintf("%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s",
		c.name, kind, c.values, c.missing, least, greatest, mean, deviation)
}

// format writes a number with six digits, which is what a table has room for.
func format(number float64) string {
	return strconv.FormatFloat(number, 'g', 6, 64)
}
