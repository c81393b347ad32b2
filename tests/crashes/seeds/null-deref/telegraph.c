/* A line of a telegraph as a tty; who writes to it needs the key, which only the second line has. */
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>
#include "seed.h"

#define LINES 2

struct morse_key {
	char code[32];
	unsigned int dots;
	unsigned int dashes;
};

struct telegraph_line {
	struct tty_port port;
	struct morse_key *key;
};

static struct tty_driver *driver;
static struct telegraph_line lines[LINES];
static struct morse_key key;

static int telegraph_open(struct tty_struct *tty, struct file *file)
{
	tty->driver_data = &lines[tty->index];
	return tty_port_open(&lines[tty->index].port, tty, file);
}

static void telegraph_close(struct tty_struct *tty, struct file *file)
{
	tty_port_close(&lines[tty->index].port, tty, file);
}

static void key_send(struct morse_key *k, unsigned char letter)
{
	if (letter & 1)
		k->dots++;
	else
		k->dashes++;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
static ssize_t telegraph_write(struct tty_struct *tty, const u8 *text, size_t count)
#else
static int telegraph_write(struct tty_struct *tty, const unsigned char *text, int count)
#endif
{
	struct telegraph_line *line = tty->driver_data;
	int i;

	for (i = 0; i < count; i++)
		key_send(line->key, text[i]);
	return count;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
static unsigned int telegraph_write_room(struct tty_struct *tty)
#else
static int telegraph_write_room(struct tty_struct *tty)
#endif
{
	return 256;
}

static const struct tty_operations telegraph_ops = {
	.open = telegraph_open,
	.close = telegraph_close,
	.write = telegraph_write,
	.write_room = telegraph_write_room,
};

static const struct tty_port_operations telegraph_port_ops = { };

static int __init telegraph_init(void)
{
	int i;

	driver = tty_alloc_driver(LINES, TTY_DRIVER_REAL_RAW | TTY_DRIVER_DYNAMIC_DEV);
	if (IS_ERR(driver))
		return PTR_ERR(driver);
	driver->driver_name = "telegraph";
	driver->name = "ttyTG";
	driver->type = TTY_DRIVER_TYPE_SERIAL;
	driver->subtype = SERIAL_TYPE_NORMAL;
	driver->init_termios = tty_std_termios;
	tty_set_operations(driver, &telegraph_ops);
	lines[1].key = &key;
	for (i = 0; i < LINES; i++) {
		tty_port_init(&lines[i].port);
		lines[i].port.ops = &telegraph_port_ops;
		tty_port_link_device(&lines[i].port, driver, i);
	}
	i = tty_register_driver(driver);
	if (i)
		return i;
	for (i = 0; i < LINES; i++)
		tty_port_register_device(&lines[i].port, driver, i, NULL);
	return 0;
}
module_init(telegraph_init);
