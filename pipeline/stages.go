package pipeline

// stages are what frames pass between reader and writer; paint ends after Stop.
// Read-ahead keeps the processors busy; without it each result is out before another
// frame is asked for.
func (j *Job) stages(l *ledger, paint Stage) []Stage {
	if j.ZeroLatency {
		return []Stage{l.decoded, paint}
	}
	return []Stage{l.decoded, Prefetch(2), paint, Prefetch(1)}
}
