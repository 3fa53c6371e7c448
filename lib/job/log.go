package job

import "log/slog"

// LevelTrace is the level of what the libraries below us log, below slog.LevelDebug, which
// is for what we log ourselves.
const LevelTrace = slog.LevelDebug - 4
