package main

import (
	"image"
	"image/color"
)

// scale returns a picture made smaller, so that neither side has more than size pixels,
// each the mean of those that it stands for. One that is small enough stays as it is.
func scale(picture image.Image, size int) image.Image {
	from := picture.Bounds()
	width, height := from.Dx(), from.Dy()
	longer := max(width, height)
	if longer <= size {
		return picture
	}
	small := image.NewRGBA64(image.Rect(0, 0, max(1, width*size/longer), max(1, height*size/longer)))
	to := small.Bounds()
	for y := range to.Dy() {
		for x := range to.Dx() {
			small.SetRGBA64(x, y, mean(picture, image.Rect(
				from.Min.X+x*width/to.Dx(), from.Min.Y+y*height/to.Dy(),
				from.Min.X+(x+1)*width/to.Dx(), from.Min.Y+(y+1)*height/to.Dy(),
			)))
		}
	}
	return small
}

// mean is the colour of an area that isn't empty.
func mean(picture image.Image, area image.Rectangle) color.RGBA64 {
	var r, g, b, a uint64
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			red, green, blue, alpha := picture.At(x, y).RGBA()
			r, g, b, a = r+uint64(red), g+uint64(green), b+uint64(blue), a+uint64(alpha)
		}
	}
	n := uint64(area.Dx() * area.Dy())
	return color.RGBA64{R: uint16(r / n), G: uint16(g / n), B: uint16(b / n), A: uint16(a / n)}
}
