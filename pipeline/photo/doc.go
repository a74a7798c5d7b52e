// Package photo reads and writes still pictures: Read and Write are all that most callers
// need. Films, animations among them, are not here but in package video, and the order of
// numbered pictures is in package pipeline.
//
// Built with cgo it stands on libvips: JPEG, PNG, TIFF, WebP, HEIF, AVIF, JPEG XL,
// JPEG 2000, BMP and GIF, and reads PPM, Radiance and OpenEXR too; orientation is applied,
// and colour profiles by Read; ReadOwn keeps those with more colours than sRGB. EXIF, XMP and IPTC are kept (TIFF keeps no EXIF: libvips writes none). Without cgo it stands on Go's own
// decoders (JPEG, PNG, TIFF, WebP, BMP, GIF) and encoders (JPEG, PNG, TIFF, BMP);
// orientation is applied, profiles are not, metadata is lost, JPEG is 4:2:0.
package photo
