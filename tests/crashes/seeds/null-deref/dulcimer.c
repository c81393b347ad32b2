/* A dulcimer with four strings as an input device; it gets its data only after its player has opened it. */
#include <linux/input.h>
#include "seed.h"

struct dulcimer {
	struct input_dev *input;
	unsigned int tuned[4];
	unsigned int players;
	char maker[32];
};

static struct dulcimer *dulcimer;

static inline void dulcimer_tune(struct dulcimer *d, unsigned int pitch)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(d->tuned); i++)
		d->tuned[i] = pitch + 5 * i;
	d->players++;
}

static int dulcimer_open(struct input_dev *input)
{
	dulcimer_tune(input_get_drvdata(input), 440);
	return 0;
}

static void player_event(struct input_handle *handle, unsigned int type, unsigned int code, int value)
{
}

static int player_connect(struct input_handler *handler, struct input_dev *dev,
			  const struct input_device_id *id)
{
	struct input_handle *handle;
	int error;

	if (!dev->name || strcmp(dev->name, "Dulcimer"))
		return -ENODEV;
	handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	if (!handle)
		return -ENOMEM;
	handle->dev = dev;
	handle->handler = handler;
	handle->name = "player";
	error = input_register_handle(handle);
	if (!error)
		error = input_open_device(handle);
	if (error)
		kfree(handle);
	return error;
}

static void player_disconnect(struct input_handle *handle)
{
	input_close_device(handle);
	input_unregister_handle(handle);
	kfree(handle);
}

static const struct input_device_id any[] = {
	{ .driver_info = 1 },
	{ },
};

static struct input_handler player = {
	.event = player_event,
	.connect = player_connect,
	.disconnect = player_disconnect,
	.name = "player",
	.id_table = any,
};

static int dulcimer_add(struct dulcimer *d)
{
	int error;

	d->input->name = "Dulcimer";
	d->input->open = dulcimer_open;
	input_set_capability(d->input, EV_KEY, KEY_A);
	error = input_register_device(d->input);
	if (error)
		return error;
	input_set_drvdata(d->input, d);
	return 0;
}

static int __init dulcimer_init(void)
{
	int error = input_register_handler(&player);

	if (error)
		return error;
	dulcimer = kzalloc(sizeof(*dulcimer), GFP_KERNEL);
	if (!dulcimer)
		return -ENOMEM;
	dulcimer->input = input_allocate_device();
	return dulcimer->input ? dulcimer_add(dulcimer) : -ENOMEM;
}
module_init(dulcimer_init);
