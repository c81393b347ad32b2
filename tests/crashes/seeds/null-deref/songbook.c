/* A book of songs, read from a firmware file while the module starts; the file may not be there. */
#include <linux/firmware.h>
#include <linux/platform_device.h>
#include "seed.h"

#define SONG_SIZE 256

static struct platform_device *stand;
static size_t songs;

static noinline int songbook_load(struct device *dev)
{
	const struct firmware *book;

	request_firmware(&book, "songbook/spring.bin", dev);
	songs = book->size / SONG_SIZE;
	dev_info(dev, "%zu songs\n", songs);
	release_firmware(book);
	return 0;
}

static int __init songbook_init(void)
{
	stand = platform_device_register_simple("songbook", -1, NULL, 0);
	if (IS_ERR(stand))
		return PTR_ERR(stand);
	return songbook_load(&stand->dev);
}
module_init(songbook_init);
