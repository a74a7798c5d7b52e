// Package preview shows a job on a page while it paints, and hands on what is changed there.
// Listen opens the page's address, before the process is confined; Begin, Step and Painted are
// called as the job goes on; Close ends it. The page is in folder page, and takes nothing from
// elsewhere. How a picture is changed while it is painted is in filter.Live; what a result then
// says of itself is decided in package pipeline.
package preview
