package meter

// Check holds a module against the limits, in one pass and without trust in a
// byte of it. It needs memory for what is there, never for what is claimed.
//
// The error is a *job.Error: CodeModuleRefused names the limit, the value and the
// bound; CodeBadModule says what cannot be parsed, and where. Check is no
// validator: what it passes an engine may still refuse.
func Check(module []byte, l Limits) error {
	if _, err := parse(module, l); err != nil {
		return err
	}
	return nil
}
