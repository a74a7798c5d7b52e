//go:build cgo && !novips

package photo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/davidbyttow/govips/v2/vips"
)

// srgbProfile returns the sRGB profile of govips, which has it as a file only, in a temporary
// folder that it never removes.
var srgbProfile = sync.OnceValues(func() ([]byte, error) {
	path, err := vips.GetSRGBIEC6196621ICCProfilePath()
	if err != nil {
		return nil, fmt.Errorf("colour profiles need a folder for temporary files: %w: set TMPDIR to one", err)
	}
	defer os.RemoveAll(filepath.Dir(path))
	return os.ReadFile(path)
})

// withSRGB calls transform with the name of a file that holds the sRGB profile until
// transform returns.
func withSRGB(transform func(profile string) error) error {
	profile, err := srgbProfile()
	if err != nil {
		return err
	}
	return withProfile(profile, transform)
}

// withProfile calls transform with the name of a file that holds the profile until transform
// returns: govips takes profiles from files.
func withProfile(profile []byte, transform func(name string) error) error {
	f, err := os.CreateTemp("", "nstfilter-*.icc")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(profile)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return transform(f.Name())
}
