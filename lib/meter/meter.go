package meter

// Check holds a module against the limits, in one pass and without trust in a
// byte of it. It needs memory for what is there, never for what is claimed.
//
// The error is a *job.Error: CodeModuleRefused names the limit, the value and the
// bound; CodeBadModule says what cannot be parsed, and where. Check is no
// validator: what it passes an engine may still refuse.
func Check(module []byte, l Limits) error {
	_, err := Inspect(module, l)
	return err
}

// Inspect is Check, and reports whether Rewrite changes the module even with the zero
// value of Options: then it has to be validated first.
func Inspect(module []byte, l Limits) (changes bool, err error) {
	m, bad := parse(module, l)
	if bad != nil {
		return false, bad
	}
	return m.externs || m.mended, nil
}
