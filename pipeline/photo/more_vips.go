//go:build cgo && !novips

package photo

/*
#cgo pkg-config: vips
#include <string.h>
#include <vips/vips.h>

static int wanted(const char *loader) {
	return loader && (strstr(loader, "LoadPpm") || strstr(loader, "LoadRad") || strstr(loader, "LoadOpenexr") || strstr(loader, "LoadJp2k"));
}

// open_more opens a picture in memory, or in a file if one is named, and reads its header.
// It returns -1 and libvips's words if that fails, and 1 if it is no picture.
static int open_more(const char *file, const void *data, size_t size, VipsImage **image) {
	if (file) {
		if (!wanted(vips_foreign_find_load(file)))
			return 1;
		*image = vips_image_new_from_file(file, "fail", TRUE, NULL);
	} else {
		VipsSource *source = vips_source_new_from_memory(data, size);
		if (!wanted(vips_foreign_find_load_source(source))) {
			g_object_unref(source);
			return 1;
		}
		*image = vips_image_new_from_source(source, "", "fail", TRUE, NULL);
		g_object_unref(source);
	}
	return *image ? 0 : -1;
}

static int more_size(const char *file, const void *data, size_t size, int *w, int *h) {
	VipsImage *image = NULL;
	int failed = open_more(file, data, size, &image);
	if (failed)
		return failed;
	*w = image->Xsize;
	*h = image->Ysize;
	g_object_unref(image);
	return 0;
}

// as_tiff converts a picture to an uncompressed TIFF. Linear light becomes sRGB of 16 bits,
// without what is brighter than white.
static int as_tiff(const char *file, const void *data, size_t size, void **out, size_t *length) {
	VipsImage *image = NULL;
	int unopened = open_more(file, data, size, &image);
	if (unopened)
		return unopened;
	if (image->Coding == VIPS_CODING_RAD || image->Type == VIPS_INTERPRETATION_scRGB) {
		VipsImage *coded = NULL;
		int failed = vips_colourspace(image, &coded, VIPS_INTERPRETATION_RGB16, NULL);
		g_object_unref(image);
		if (failed)
			return -1;
		image = coded;
	}
	int failed = vips_tiffsave_buffer(image, out, length, NULL);
	g_object_unref(image);
	return failed ? -1 : 0;
}
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"
)

// moreMagic are the first bytes of pictures that libvips reads and govips does not know:
// PBM to PFM, Radiance, OpenEXR, and JPEG 2000 without a container.
var moreMagic = []string{"P1", "P2", "P3", "P4", "P5", "P6", "PF", "Pf", "#?RADIANCE", "#?RGBE", exrMagic, jp2kMagic}

const (
	exrMagic  = "\x76\x2f\x31\x01"
	jp2kMagic = "\xff\x4f\xff\x51"
)

func isMore(data []byte) bool {
	for _, magic := range moreMagic {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return false
}

// checkJP2K refuses the kinds of JPEG 2000 by which libvips before 8.16 ends the program:
// with a palette, and with an image or tiles that do not begin at 0 (ISO/IEC 15444-1, I.5.3.4
// and A.5.1).
func checkJP2K(data []byte) error {
	at := bytes.Index(data, []byte(jp2kMagic))
	if at < 0 || vips.MajorVersion > 8 || vips.MajorVersion == 8 && vips.MinorVersion >= 16 {
		return nil
	}
	const offsets, sizes, tileOffsets, end = 16, 24, 32, 40 // from the codestream's beginning
	begin := data[at:]
	if bytes.Contains(data[:at], []byte("pclr")) || len(begin) >= end &&
		!bytes.Equal(slices.Concat(begin[offsets:sizes], begin[tileOffsets:end]), make([]byte, 16)) {
		return errDamaged(fmt.Errorf("unsupported by libvips %s: JPEG 2000 with a palette or an offset", vips.Version))
	}
	return nil
}

// withMore calls f with such a picture's data, or with the name of a file that holds it, and
// explains what f returns.
func withMore(data []byte, f func(file *C.char, data unsafe.Pointer, size C.size_t) C.int) error {
	if err := startVips(); err != nil {
		return err
	}
	if err := checkJP2K(data); bytes.HasPrefix(data, []byte(jp2kMagic)) && err != nil {
		return err
	}
	var name *C.char
	if bytes.HasPrefix(data, []byte(exrMagic)) { // which libvips reads from files alone
		file, err := os.CreateTemp("", "nstfilter-*.exr")
		if err != nil {
			return err
		}
		defer os.Remove(file.Name())
		_, err = file.Write(data)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
		name = C.CString(file.Name())
		defer C.free(unsafe.Pointer(name))
	}
	switch f(name, unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data))) {
	case 1:
		if name != nil {
			return fmt.Errorf("this libvips reads no OpenEXR: install %s, or convert the picture to PNG or 16-bit TIFF first", packagesFor("exr"))
		}
		return errNotPicture
	case -1:
		words := C.GoString(C.vips_error_buffer())
		C.vips_error_clear()
		return errDamaged(errors.New(strings.Join(strings.Fields(words), " ")))
	}
	return nil
}

// moreHeader returns such a picture's size.
func moreHeader(data []byte) (Header, error) {
	var w, h C.int
	err := withMore(data, func(file *C.char, data unsafe.Pointer, size C.size_t) C.int {
		return C.more_size(file, data, size, &w, &h)
	})
	return Header{int(w), int(h)}, err
}

// asTIFF converts such a picture to a TIFF.
func asTIFF(data []byte) ([]byte, error) {
	var out unsafe.Pointer
	var length C.size_t
	err := withMore(data, func(file *C.char, data unsafe.Pointer, size C.size_t) C.int {
		return C.as_tiff(file, data, size, &out, &length)
	})
	if err != nil {
		return nil, err
	}
	defer C.g_free(C.gpointer(out))
	return C.GoBytes(out, C.int(length)), nil
}
