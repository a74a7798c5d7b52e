/*
 * nstfilter as a frei0r plugin: starts the program nstfilter and passes each frame
 * through it as raw film (NUT, planar RGB of 8 bits) on its stdin and stdout. The
 * program runs with --zero-latency: a frame's result comes before the next frame is
 * asked for. Alpha goes around it. When the program cannot be started or ends, that
 * is said once on stderr and frames pass through unpainted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <frei0r.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { STYLE, OPTIONS, PROGRAM, PARAMETERS };

static const struct {
	const char *name, *explanation;
} parameters[PARAMETERS] = {
	{"style", "File of the painting whose style is painted with"},
	{"options", "Further options of the program: --size 480 --iterations-per-frame 5; quotes hold blanks together"},
	{"program", "The program, if it is not nstfilter in PATH; $NSTFILTER says it too"},
};

enum {
	HEADERS = 1024, /* bytes that the NUT headers before a frame take at most */
	GRACE = 3000,   /* ms that the program may take to end when its input has */
};

struct painter {
	unsigned w, h;
	char *values[PARAMETERS];

	pid_t pid;       /* 0: not running */
	int to, from;    /* our ends of its stdin and stdout */
	bool failed;     /* until a parameter changes */
	uint64_t frames; /* that it was given */

	uint8_t *out, *planes; /* what is written; the planes G, B, R within it or as read */
	size_t written, due;   /* bytes of out */
};

/* ---- the program ---- */

/* fail says why frames pass through unpainted from now on. */
static void fail(struct painter *p, const char *format, ...)
{
	char why[512];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	p->failed = true;
	fprintf(stderr, "frei0r nstfilter: %s; frames pass through unpainted\n", why);
}

/*
 * words splits text at blanks; quotes of either kind hold blanks together. The words
 * are written to store (as long as text with its end) and listed in list (half as
 * long). Returns their number.
 */
static size_t words(const char *text, char *store, char **list)
{
	size_t n = 0;
	for (const char *c = text;;) {
		c += strspn(c, " \t\n");
		if (!*c)
			return n;
		list[n++] = store;
		for (char quote = 0; *c && (quote || !strchr(" \t\n", *c)); c++) {
			if (quote ? *c == quote : *c == '"' || *c == '\'')
				quote = quote ? 0 : *c;
			else
				*store++ = *c;
		}
		*store++ = 0;
	}
}

static void close_both(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

/*
 * spawn starts the program between the pipes. Returns 0 or an error number. It gets
 * a process group of its own, so that an interrupt at the terminal is the host's to
 * handle; our ends close with the host, at which the program ends too.
 */
static int spawn(struct painter *p, char **argv, int in[2], int out[2])
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, standard;
	sigemptyset(&none);
	sigemptyset(&standard);
	sigaddset(&standard, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &standard);
	int err = posix_spawnp(&p->pid, argv[0], &files, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	if (err)
		p->pid = 0;
	return err;
}

static void start(struct painter *p)
{
	size_t length = strlen(p->values[OPTIONS]) + 1;
	char store[length], *argv[8 + length / 2];
	size_t n = 0;
	argv[n++] = p->values[PROGRAM];
	argv[n++] = "--zero-latency";
	argv[n++] = "--progress";
	argv[n++] = "none";
	if (*p->values[STYLE]) {
		argv[n++] = "--style";
		argv[n++] = p->values[STYLE];
	}
	n += words(p->values[OPTIONS], store, argv + n);
	argv[n] = NULL;

	int in[2], out[2];
	if (pipe2(in, O_CLOEXEC)) {
		fail(p, "no pipe: %s", strerror(errno));
		return;
	}
	if (pipe2(out, O_CLOEXEC)) {
		fail(p, "no pipe: %s", strerror(errno));
		close_both(in);
		return;
	}
	int err = spawn(p, argv, in, out);
	if (err) {
		close_both(in);
		close_both(out);
		fail(p, "%s does not start (%s): put nstfilter in PATH, or name it with $NSTFILTER or the parameter program", argv[0], strerror(err));
		return;
	}
	close(in[0]);
	close(out[1]);
	p->to = in[1];
	p->from = out[0];
	fcntl(p->to, F_SETFL, O_NONBLOCK);
	fcntl(p->from, F_SETFL, O_NONBLOCK);
	p->frames = 0;
}

/* stop ends the program and returns its wait status, or -1 if someone else took it. */
static int stop(struct painter *p)
{
	if (!p->pid)
		return -1;
	close(p->to);
	close(p->from);
	int status = 0;
	pid_t got;
	for (int waited = 0; (got = waitpid(p->pid, &status, WNOHANG)) == 0; waited += 5) {
		if (waited >= GRACE)
			kill(-p->pid, SIGKILL);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	p->pid = 0;
	return got > 0 ? status : -1;
}

static const char ended[] = "has ended", strange[] = "answers otherwise than nstfilter does";

/* lost ends the program because of what it did. */
static void lost(struct painter *p, const char *what)
{
	int status = stop(p);
	char how[64] = "";
	if (what == ended && status != -1 && WIFEXITED(status))
		snprintf(how, sizeof how, " with exit code %d", WEXITSTATUS(status));
	else if (what == ended && status != -1 && WIFSIGNALED(status))
		snprintf(how, sizeof how, " by signal %d", WTERMSIG(status));
	fail(p, "frame %llu: %s %s%s", (unsigned long long)p->frames, p->values[PROGRAM], what, how);
}

/* ---- bytes to and from it ---- */

/* quiet_write is write, without the SIGPIPE that would end the host. */
static ssize_t quiet_write(int fd, const void *data, size_t n)
{
	sigset_t broken, before, pending;
	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &broken, &before);
	ssize_t got = write(fd, data, n);
	int err = errno;
	if (got < 0 && err == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&broken, NULL, &(struct timespec){0});
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return got;
}

/*
 * receive reads n bytes to data, and meanwhile writes what is due: neither side
 * waits for the other. False at the program's end.
 */
static bool receive(struct painter *p, uint8_t *data, size_t n)
{
	while (n > 0) {
		struct pollfd fd[2] = {{.fd = p->from, .events = POLLIN}, {.fd = p->written < p->due ? p->to : -1, .events = POLLOUT}};
		if (poll(fd, 2, -1) < 0 && errno != EINTR)
			return false;
		if (fd[1].revents) {
			ssize_t got = quiet_write(p->to, p->out + p->written, p->due - p->written);
			if (got > 0)
				p->written += got;
			else if (errno != EAGAIN && errno != EINTR)
				return false;
		}
		if (fd[0].revents) {
			ssize_t got = read(p->from, data, n);
			if (got > 0) {
				data += got;
				n -= got;
			} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
				return false;
			}
		}
	}
	return true;
}

/* ---- NUT, as video/nut_writer.go writes and video/nut_reader.go reads it ---- */

static uint8_t *put(uint8_t *b, uint64_t v, int bytes)
{
	while (bytes-- > 0)
		*b++ = v >> 8 * bytes;
	return b;
}

/* varints writes count values, 7 bits per byte, most significant first. */
static uint8_t *varints(uint8_t *b, int count, const uint64_t *values)
{
	for (int i = 0; i < count; i++) {
		int n = 1;
		while (n < 9 && values[i] >> 7 * n)
			n++;
		while (--n > 0)
			*b++ = 128 | values[i] >> 7 * n;
		*b++ = values[i] & 127;
	}
	return b;
}

#define VARINTS(b, ...) varints(b, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (uint64_t[]){__VA_ARGS__})

static uint8_t *checksum(uint8_t *from, uint8_t *to)
{
	uint32_t c = 0;
	for (uint8_t *b = from; b < to; b++) {
		c ^= (uint32_t)*b << 24;
		for (int i = 0; i < 8; i++)
			c = c << 1 ^ (c >> 31 ? 0x04C11DB7 : 0);
	}
	return put(to, c, 4);
}

/* packet writes a packet of less than 4096 bytes. */
static uint8_t *packet(uint8_t *b, uint64_t startcode, const uint8_t *contents, const uint8_t *end)
{
	size_t n = end - contents;
	b = put(b, startcode, 8);
	b = VARINTS(b, n + 4);
	memcpy(b, contents, n);
	return checksum(b, b + n);
}

enum { KEY = 1, CODED_PTS = 8, SIZE_MSB = 32, CHECKSUM = 64, INVALID = 8192 };

static uint8_t *stream_headers(uint8_t *b, uint64_t w, uint64_t h)
{
	static const char magic[] = "nut/multimedia container"; /* its zero belongs to it */
	uint8_t contents[256], *c;
	memcpy(b, magic, sizeof magic);
	b += sizeof magic;
	c = VARINTS(contents,
		3, 1, 65536, 1, 1, 25,                                        /* version, streams, max_distance, timebase */
		INVALID, 6, 0, 1, 0, 0, 0, 1,                                 /* code 0 */
		KEY | CODED_PTS | SIZE_MSB | CHECKSUM, 6, 0, 1, 0, 0, 0, 254, /* all others */
		0);                                                           /* no elided headers */
	b = packet(b, 0x4E4D7A561F5F04AD, contents, c);
	c = VARINTS(contents, 0, 0, 4); /* stream 0 is video */
	memcpy(c, "G3\0\10", 4);        /* planes G, B, R of 8 bits */
	c = VARINTS(c + 4, 0, 0, 1 << 20, 0, 0, 0, w, h, 0, 0, 0);
	return packet(b, 0x4E5311405BF2F9DB, contents, c);
}

static uint8_t *frame_header(uint8_t *b, uint64_t frame, uint64_t bytes)
{
	uint8_t contents[32];
	b = packet(b, 0x4E4BE4ADEECA4569, contents, VARINTS(contents, frame, 0)); /* syncpoint */
	uint8_t *begin = b;
	*b++ = 1; /* frame code */
	b = VARINTS(b, frame + 1, bytes);
	return checksum(begin, b);
}

/* take_varint reads a value; false at the program's end. */
static bool take_varint(struct painter *p, uint64_t *v)
{
	uint8_t b = 128;
	for (*v = 0; b & 128;) {
		if (!receive(p, &b, 1))
			return false;
		*v = *v << 7 | (b & 127);
	}
	return true;
}

static bool skip(struct painter *p, uint64_t n)
{
	uint8_t rest[4096];
	for (uint64_t part; n > 0; n -= part) {
		part = n < sizeof rest ? n : sizeof rest;
		if (!receive(p, rest, part))
			return false;
	}
	return true;
}

/*
 * take_frame reads the answer to one frame into p->planes. Returns what is wrong, or
 * NULL.
 */
static const char *take_frame(struct painter *p, uint64_t bytes)
{
	uint64_t pts, size;
	uint8_t code;
	if (p->frames == 0 && !skip(p, strlen("nut/multimedia container") + 1))
		return ended;
	for (;;) {
		if (!receive(p, &code, 1))
			return ended;
		if (code != 'N')
			break;
		if (!skip(p, 7) || !take_varint(p, &size) || !skip(p, size > 4096 ? size + 4 : size))
			return ended;
	}
	if (!take_varint(p, &pts) || !take_varint(p, &size) || !skip(p, 4))
		return ended;
	if (code != 1)
		return strange;
	if (size != bytes)
		return "answers with frames of another size: leave out --output-size";
	if (!receive(p, p->planes, bytes))
		return ended;
	return p->written < p->due ? strange : NULL;
}

/* paint passes a frame of RGBA through the program; false if that failed. */
static bool paint(struct painter *p, const uint8_t *in, uint8_t *out)
{
	size_t n = (size_t)p->w * p->h;
	uint8_t *b = p->out;
	if (p->frames == 0)
		b = stream_headers(b, p->w, p->h);
	b = frame_header(b, p->frames, 3 * n);
	for (size_t i = 0; i < n; i++) {
		b[i] = in[4 * i + 1];
		b[n + i] = in[4 * i + 2];
		b[2 * n + i] = in[4 * i];
	}
	p->written = 0;
	p->due = b + 3 * n - p->out;
	const char *wrong = take_frame(p, 3 * n);
	if (wrong) {
		lost(p, wrong);
		return false;
	}
	p->frames++;
	for (size_t i = 0; i < n; i++) {
		uint8_t alpha = in[4 * i + 3];
		out[4 * i] = p->planes[2 * n + i];
		out[4 * i + 1] = p->planes[i];
		out[4 * i + 2] = p->planes[n + i];
		out[4 * i + 3] = alpha;
	}
	return true;
}

/* ---- frei0r ---- */

int f0r_init(void) { return 1; }

void f0r_deinit(void) {}

void f0r_get_plugin_info(f0r_plugin_info_t *info)
{
	*info = (f0r_plugin_info_t){
		.name = "nstfilter",
		.author = "the authors of nstfilter",
		.plugin_type = F0R_PLUGIN_TYPE_FILTER,
		.color_model = F0R_COLOR_MODEL_RGBA8888,
		.frei0r_version = FREI0R_MAJOR_VERSION,
		.major_version = 1,
		.num_params = PARAMETERS,
		.explanation = "Repaints film in the style of a painting",
	};
}

void f0r_get_param_info(f0r_param_info_t *info, int i)
{
	*info = (f0r_param_info_t){
		.name = parameters[i].name, .type = F0R_PARAM_STRING, .explanation = parameters[i].explanation};
}

f0r_instance_t f0r_construct(unsigned w, unsigned h)
{
	struct painter *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	size_t bytes = (size_t)w * h * 3;
	const char *program = getenv("NSTFILTER");
	*p = (struct painter){
		.w = w, .h = h,
		.values = {strdup(""), strdup(""), strdup(program && *program ? program : "nstfilter")},
		.out = malloc(HEADERS + bytes), .planes = malloc(bytes),
	};
	if (!p->values[STYLE] || !p->values[OPTIONS] || !p->values[PROGRAM] || !p->out || !p->planes) {
		f0r_destruct(p);
		return NULL;
	}
	return p;
}

void f0r_destruct(f0r_instance_t instance)
{
	struct painter *p = instance;
	stop(p);
	for (int i = 0; i < PARAMETERS; i++)
		free(p->values[i]);
	free(p->out);
	free(p->planes);
	free(p);
}

/* A program that runs with other values is started anew. */
void f0r_set_param_value(f0r_instance_t instance, f0r_param_t value, int i)
{
	struct painter *p = instance;
	const char *text = *(f0r_param_string *)value;
	if (i < 0 || i >= PARAMETERS || !text || !strcmp(text, p->values[i]) || (i == PROGRAM && !*text))
		return;
	char *copy = strdup(text);
	if (!copy)
		return;
	stop(p);
	free(p->values[i]);
	p->values[i] = copy;
	p->failed = false;
}

void f0r_get_param_value(f0r_instance_t instance, f0r_param_t value, int i)
{
	struct painter *p = instance;
	if (i >= 0 && i < PARAMETERS)
		*(f0r_param_string *)value = p->values[i];
}

void f0r_update(f0r_instance_t instance, double time, const uint32_t *in, uint32_t *out)
{
	(void)time;
	struct painter *p = instance;
	if (!p->pid && !p->failed)
		start(p);
	if (!p->pid || !paint(p, (const uint8_t *)in, (uint8_t *)out))
		memmove(out, in, (size_t)p->w * p->h * 4);
}
