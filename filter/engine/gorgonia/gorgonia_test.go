package gorgonia_test

import (
	"testing"

	"nstfilter/filter/engine/enginetest"
	"nstfilter/filter/engine/gorgonia"
)

// An autodiff against derivatives written by hand: each checks the other.
func TestReference(t *testing.T) { enginetest.Run(t, gorgonia.New(), enginetest.Reference{}) }
