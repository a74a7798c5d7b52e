// Package sandbox keeps a process that decodes strangers' files from opening what its job
// does not name. Confine restricts the process and its children for good, by Landlock on
// Linux; elsewhere, and on kernels without it, it does nothing. Which files a job names is
// decided in package pipeline.
package sandbox
