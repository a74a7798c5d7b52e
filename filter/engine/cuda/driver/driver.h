// Why libcuda.so.1 could not be opened, or "".
const char *driver_open_error(void);

// What the driver's own cuInit returned.
int driver_init_status(void);

// Whether the driver captures and launches graphs (CUDA 11.4 and later).
int driver_has_graphs(void);
